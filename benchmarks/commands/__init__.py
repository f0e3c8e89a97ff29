"""The command path, measured: how fast, how far, under overload, how many, how small.

``python -m benchmarks.commands --json FILE`` measures in one run (a) a direct exchange by the same transport on the
same pty, (b) raw TCP through ser2net to the same pty and (c) the whole path: WebSocket client, gateway process, agent
process.
"""
