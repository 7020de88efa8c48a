"""The fixtures of these tests, for pytest to find."""

from stack_fixtures import _no_kept_connections, large, package, whole, whole_package

__all__ = ["_no_kept_connections", "large", "package", "whole", "whole_package"]
