"""Classifier two-sample tests (C2ST)."""
