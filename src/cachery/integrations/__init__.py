"""Caches in other frameworks."""
