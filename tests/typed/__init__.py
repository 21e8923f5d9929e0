"""What mypy and pyright read: see tests/test_types.py."""
