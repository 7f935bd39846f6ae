"""Prediction with a trained bundle."""
