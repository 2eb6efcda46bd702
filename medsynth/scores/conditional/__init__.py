"""Cohorts sampled under conditions."""
