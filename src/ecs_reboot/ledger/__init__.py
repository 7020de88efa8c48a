"""The memory of earlier attempts."""
