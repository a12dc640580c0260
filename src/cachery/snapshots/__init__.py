"""A memory cache as a file: taken before a restart, restored after it."""
