"""Classic projects, evaluated as they published and as they should have been."""
