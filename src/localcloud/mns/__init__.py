"""The message service (SMQ, once MNS): topics that push, and queues that keep."""
