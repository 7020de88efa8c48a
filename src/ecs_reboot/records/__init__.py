"""What is written down, and where it goes."""
