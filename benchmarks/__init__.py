"""Benchmarks of dedup beside its peers: `python -m benchmarks --help`; README.md says what they mean."""
