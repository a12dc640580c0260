"""Copies of entries in the memory of a process, kept coherent with the server they come from."""
