"""How requests and replies are delimited on the wire. Pure."""
