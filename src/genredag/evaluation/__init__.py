"""Evaluation: predictions, their metrics, and figures."""
