"""Subgroups of patients."""
