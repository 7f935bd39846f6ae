"""The values of ``params.yaml``: their types and bounds, and the stages that use them."""
