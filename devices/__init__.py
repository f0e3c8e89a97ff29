"""Instruments: what they are, how to talk to them, their simulators, and the agent on the lab PC."""
