"""What a cache does, measured: a monitor, alerts, exporters."""
