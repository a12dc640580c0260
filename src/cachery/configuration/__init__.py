"""Settings of named caches from a TOML file or a mapping: read, checked against what each backend takes, explained."""
