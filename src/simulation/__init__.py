"""Deterministic simulation: the real function over a cloud, a clock and a network that are drawn from a seed."""
