"""Bundles: a trained model with everything that prediction needs."""
