"""The benchmark of the local cloud: how soon it answers, and how many signed calls a second."""
