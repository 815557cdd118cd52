"""Fitting, evaluating and predicting."""
