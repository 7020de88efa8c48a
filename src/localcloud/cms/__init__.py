"""CloudMonitor, version 2019-01-01, as far as asking for the newest value of a metric needs it."""
