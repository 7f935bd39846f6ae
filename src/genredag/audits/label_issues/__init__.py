"""Tracks whose genre label looks wrong, by predictions of models that were not trained on them."""
