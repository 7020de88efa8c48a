"""Where records go: standard output, always, and a logstore of the log service where one is configured."""
