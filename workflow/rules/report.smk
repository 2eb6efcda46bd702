"""Stage 7."""
