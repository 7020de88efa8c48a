"""Claim, reboot, verify: what is done about an approved request."""
