"""What things cost, side by side in one run: `make bench`. Nothing here is a test, and no test measures time.

Each figure is the median of pairs that take turns, so that a machine whose speed drifts changes both sides alike. The
results are in docs/benchmarks/, with the machine they were measured on.
"""
