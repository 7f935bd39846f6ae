"""Infrastructure of all stages: files, cache, logs, progress, the Keras backend, provenance."""
