"""Tracks: decoding, the manifest, and grouping by artist."""
