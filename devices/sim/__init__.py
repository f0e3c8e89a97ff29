"""Simulated instruments: physics, the firmware that speaks for it, and a pty with real bytes at a chosen baud rate."""
