"""Classic projects, evaluated as published and with their faults corrected."""
