"""What the benchmark runs as processes of their own: handlers to compare with, and what drives and watches them."""
