"""The first hour on an account: every assumption that no document settles, as a check that is carried out there."""
