"""How faithful, how useful and how private a synthetic table is."""
