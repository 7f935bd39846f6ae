"""The data sets: one module each, found by name in `registry`."""
