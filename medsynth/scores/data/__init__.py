"""Where the rows come from and what was done to them."""
