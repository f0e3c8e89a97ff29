"""What runs inside the simulated instruments. Pure: bytes and the time in, bytes out."""
