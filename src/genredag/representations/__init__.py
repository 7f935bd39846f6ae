"""Time-frequency representations: one function each, time-major; `registry` knows them all."""
