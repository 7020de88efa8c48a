"""The commands of ``python -m localcloud``, and the function of this project that they run."""
