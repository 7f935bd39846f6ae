"""Models: the registry of builders and the shared parts of networks; `families` contains the models."""
