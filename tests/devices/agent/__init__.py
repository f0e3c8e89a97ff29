"""Tests of the agent, against simulated instruments and a scripted gateway."""
