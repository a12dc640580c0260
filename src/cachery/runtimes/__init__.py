"""Threads and event loops, as an engine sees them."""
