"""Alpha-precision, beta-recall, authenticity and three-way marginals."""
