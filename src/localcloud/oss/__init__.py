"""Object Storage Service: the few calls that put a code package into a bucket."""
