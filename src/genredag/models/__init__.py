"""Models: the registry of builders, and what every network shares; `families` has the models."""
