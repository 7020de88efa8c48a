"""Timers of Function Compute: they go off when told that time has passed."""
