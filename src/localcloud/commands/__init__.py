"""What is done with a local cloud: invoke the function on it once, tell a story; and the function itself."""
