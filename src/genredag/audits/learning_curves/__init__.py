"""Learning curves: accuracy by the number of training tracks, so that more data and other models compare."""
