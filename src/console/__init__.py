"""The console: a web page over the local cloud, with a warm function to send events to."""
