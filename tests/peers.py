"""Programs of other projects that tests talk to: the real peers."""

from __future__ import annotations

import os
import shutil

import pytest


def require_program(name: str) -> str:
    """The path of a real peer; without it the test is skipped, or fails where CI is set."""
    # Debian keeps daemons where an ordinary user's path does not look.
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]))
    if path is not None:
        return path
    reason = f"{name} is not installed; .ci/debian-packages {name} does it"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
