"""The service side of Function Compute: functions by name, their instances, asynchronous invocation, the HTTP API."""
