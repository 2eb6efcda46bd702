"""What a paper publishes, beside what a run gives."""
