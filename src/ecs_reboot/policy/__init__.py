"""May this instance be rebooted now, and how? Pure."""
