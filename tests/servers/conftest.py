"""Real servers for tests: the fixtures stand in ``tests/conftest.py``, for all tests to share."""
