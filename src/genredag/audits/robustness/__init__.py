"""Robustness: how accuracy falls as test tracks are deformed more and more."""
