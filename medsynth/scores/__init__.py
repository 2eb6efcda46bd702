"""What a study scores and shows: one folder a family, each with its declaration; `registry` knows them all."""
