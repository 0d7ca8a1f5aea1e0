"""Benchmarks: each of ours against its peer, in the same run, as ratios. `make bench`."""
