"""Protocols: what a floor asks of the ones below without knowing them."""
