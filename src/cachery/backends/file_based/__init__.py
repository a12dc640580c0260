"""The store in plain files: two for each entry, flat in a directory, shared by processes and machines.

The cache over it is here too, by its public names.
"""

from __future__ import annotations

from cachery._lazy import lazy_exports

__all__ = ["FileBasedBackend", "FileBasedCache"]

__getattr__, __dir__ = lazy_exports(__name__, dict.fromkeys(__all__, "cachery.file_based:FileBasedCache"))
