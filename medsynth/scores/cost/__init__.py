"""What each step took."""
