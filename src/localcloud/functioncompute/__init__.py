"""The Function Compute runtime on one machine: a function, its instances (child processes), and what a call came to."""
