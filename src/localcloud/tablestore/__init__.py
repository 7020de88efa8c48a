"""Tablestore (OTS), wide column model: instances, tables, conditional writes. Its codec is its own."""
