"""The store in plain files: two for each entry, flat in a directory, shared by processes and machines."""
