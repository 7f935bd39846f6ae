"""The leakage audit: common mistakes of published evaluations, made on purpose, and how much each adds.

This is the only place in the project that fits a scaler on test slices or selects a model by them. Nothing
trained here is kept.
"""
