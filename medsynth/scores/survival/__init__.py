"""Time to event: survival models, Kaplan-Meier curves, median and restricted mean survival."""
