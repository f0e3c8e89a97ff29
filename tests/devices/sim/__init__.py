"""Simulated instruments."""
