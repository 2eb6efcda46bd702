"""Train on synthetic, test on real (TSTR)."""
