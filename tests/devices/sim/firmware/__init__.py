"""The simulators' firmware."""
