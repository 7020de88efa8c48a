"""The benchmark "alarm to reboot, as deployed": real function processes with what the template gives them.

The package that is deployed, the template's settings, timeout, role and share of a processor, on a local cloud whose
every call takes as long as a real one.
"""
