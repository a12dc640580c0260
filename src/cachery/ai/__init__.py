"""The cache of model answers."""
