"""Songs of the user's own, predicted by trained models and compared with their true genres."""
