"""Measurements. Each is ``python -m benchmarks.NAME --json FILE``; nothing here is asserted."""
