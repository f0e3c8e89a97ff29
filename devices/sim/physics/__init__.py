"""What the simulated benches obey. Pure: every world advances to a time that it is given."""
