"""``make bench``: cold starts, the local cloud, and the way from alarm to reboot as deployed, each against its bars."""
