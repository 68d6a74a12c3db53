"""What the fuzzer checks, one module a target: `check(data)`, which raises, and `COVERED`, what guides it."""
