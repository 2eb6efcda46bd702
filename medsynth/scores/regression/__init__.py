"""Regression: train on synthetic, test on real, of a numeric column."""
