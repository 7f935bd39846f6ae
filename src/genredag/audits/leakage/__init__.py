"""The leakage audit: mistakes of published evaluations, made on purpose, and what each is worth.

The only place of this project that scales on test slices or selects by them; nothing trained here is kept.
"""
