"""The account that every service works on: clock, instances, credentials, faults, audit, and the fleet file."""
