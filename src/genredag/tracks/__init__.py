"""Tracks: decoding them, listing them in a manifest, and telling their artists apart."""
