"""What an entry depends on, and how it is seen that it has changed."""
