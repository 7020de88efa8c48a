"""Exploration: every order in which a few runs of the real function can go on, instead of many that are drawn."""
