"""Evaluation: predictions, the metrics made of them, and their pictures."""
