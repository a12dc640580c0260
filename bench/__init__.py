"""What the cache costs beside its peers: ``python -m bench`` measures all of it anew, in one run."""
