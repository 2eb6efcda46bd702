"""What training says of itself."""
