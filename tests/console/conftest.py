"""The fixtures of these tests, for pytest to find."""

from console_fixtures import browser, client, open_console, serve, where

__all__ = ["browser", "client", "open_console", "serve", "where"]
