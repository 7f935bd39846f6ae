"""Training: from slices and a split to a bundle."""
