"""Coefficients of a logistic model."""
