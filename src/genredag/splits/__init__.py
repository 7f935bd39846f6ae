"""Splits: which tracks train, validate and test, and what leaks between them."""
