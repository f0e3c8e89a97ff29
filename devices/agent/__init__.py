"""The agent on the lab PC: it owns the ports, dials out to the gateway and answers for every command."""
