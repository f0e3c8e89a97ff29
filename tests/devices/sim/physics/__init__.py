"""The simulators' physics."""
