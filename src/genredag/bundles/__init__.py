"""Bundles: a trained model and all that prediction needs."""
