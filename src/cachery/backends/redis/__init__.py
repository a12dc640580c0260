"""Entries on a Redis or Valkey server, or on many: what several machines share."""
