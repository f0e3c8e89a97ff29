"""Settings of every test run."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling, Scheduling

# No verdict may depend on how busy the machine is; in CI the same commit always gets the same verdict.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


class OneWorkerForJourneys(LoadScopeScheduling):
    """A file of tests stays on one worker, and all of tests/e2e does: two browsers starve each other on two cores."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/e2e" if nodeid.startswith("tests/e2e/") else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Asked by pytest-xdist when tests run side by side."""
    return OneWorkerForJourneys(config, log)
