"""Frozen values that every floor may use."""
