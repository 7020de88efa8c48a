"""What is asked about an instance before a reboot is decided, beyond what DescribeInstances says."""
