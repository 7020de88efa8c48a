"""The way of a request through the local cloud, the same for every service."""
