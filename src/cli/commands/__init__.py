"""The commands, a file for each group of them. Which there are: ``program.COMMANDS``."""
