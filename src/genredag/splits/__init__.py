"""Splits: training, validation and test sets, and leakage between them."""
