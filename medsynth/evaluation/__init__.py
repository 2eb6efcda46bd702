"""What all families of scores share: reference rows, persons and their replicates, intervals, targets, feasibility."""
