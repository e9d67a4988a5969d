"""Named scenarios: `python -m benchmarks [NAME …]`. Never part of the test run."""
