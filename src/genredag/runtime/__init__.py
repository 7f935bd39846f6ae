"""What every stage runs on: files, cache, logs, progress, the backend, provenance."""
