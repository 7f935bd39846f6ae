"""The models, one module per family of papers; the registry imports every module in here."""
