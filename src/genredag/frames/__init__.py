"""Frames of all tracks in one store, the slices cut from it, and batches of slices."""
