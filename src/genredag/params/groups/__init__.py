"""The groups of ``params.yaml``, one module per subject. They import nothing else from this package."""
