"""The benchmark of cold starts: whole processes against the handler that one would write first, and against a floor."""
