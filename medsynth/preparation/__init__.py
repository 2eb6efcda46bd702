"""From a raw table to partitions that a generator can learn: clean, split, impute, encode."""
