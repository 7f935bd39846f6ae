"""The values of ``params.yaml``: their types, their bounds, and which stage uses which."""
