"""genredag: a reproducible data pipeline for music genre recognition."""
