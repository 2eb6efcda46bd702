"""What classifiers look at (SHAP)."""
