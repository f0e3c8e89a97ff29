"""The floor of Tongke: errors, wire, clocks, sessions and tokens. Imports nothing else of ours."""
