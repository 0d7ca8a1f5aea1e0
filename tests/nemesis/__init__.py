"""A nemesis for durable runs: real processes, real faults by a seed, and a checker that trusts none of them.

`make nemesis` runs it at length (NEMESIS_FAULTS, NEMESIS_SEED); tests/test_nemesis.py keeps it short.
"""
