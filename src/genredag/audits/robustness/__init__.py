"""Robustness: test tracks deformed on purpose, and how accuracy falls with the strength of it."""
