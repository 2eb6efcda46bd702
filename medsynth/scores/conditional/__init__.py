"""Cohorts drawn under conditions."""
