"""One file a source: what its events say, as findings."""
