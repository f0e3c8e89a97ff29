"""The remote laboratory: leases, admission, outcomes, telemetry, and the gateway that joins them."""
