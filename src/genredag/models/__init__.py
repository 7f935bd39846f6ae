"""Learners: networks and estimators, one module a family of papers, found by name in the registry."""
