"""Settings of every test run."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# No verdict may depend on how busy the machine is; in CI the same commit always gets the same verdict.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole journeys share one worker: two browsers at once starve each other on a small machine."""
    for item in items:
        if item.get_closest_marker("e2e") is not None:
            item.add_marker(pytest.mark.xdist_group("e2e"))
