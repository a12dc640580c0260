from cachery.backends.disk.calls cimport Calls
