"""The groups of ``params.yaml``, one module per subject; they import nothing else of this package."""
