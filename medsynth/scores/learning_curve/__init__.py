"""Scores against the number of training rows."""
