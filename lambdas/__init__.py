"""Lambdas: code that people write, run apart from the platform."""
