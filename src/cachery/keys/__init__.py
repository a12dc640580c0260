"""From what callers use as keys and patterns to what stores use."""
