#!/usr/bin/env python3
"""Checks that each pure core reaches 100 % of its branches from its own test file, whatever other tests do to it.

One pytest run over all those files; coverage notes which of them each line and branch was reached from.
"""

from __future__ import annotations

import importlib
import io
import os
import re
import sys
from collections.abc import Generator
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
# The core that can tell test files apart while it runs, on every Python.
os.environ["COVERAGE_CORE"] = "ctrace"

import coverage  # noqa: E402  # after the choice of its core
import pytest  # noqa: E402  # the path comes first

from tests.test_architecture import modules, pure_cores, shown  # noqa: E402  # the path comes first


class OneContextPerFile:
    """A pytest plugin: what is reached while a file is collected or run counts for that file."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, object, object]:
        if isinstance(collector, pytest.Module):
            self._measured.switch_context(shown(collector.path))
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._measured.switch_context(shown(item.path))
        return (yield)


def run_tests(measured: coverage.Coverage, cores: dict[str, Path]) -> int:
    """Runs the cores' test files under coverage; what merely importing a core reaches counts for every file."""
    files = [str(test) for test in cores.values() if test.is_file()]
    measured.start()
    try:
        for name in cores:
            importlib.import_module(name)
        return pytest.main(["-q", "-p", "no:cacheprovider", *files], plugins=[OneContextPerFile(measured)])
    finally:
        measured.stop()


def gap(measured: coverage.Coverage, name: str, test: Path) -> str | None:
    """What the core's own test file leaves out, as a line for the reader, or nothing."""
    if not test.is_file():
        return f"{name} lacks {shown(test)}"
    contexts = ["^$", f"^{re.escape(shown(test))}$"]
    table = io.StringIO()
    percentage = measured.report(morfs=[str(modules()[name])], contexts=contexts, skip_covered=False, file=table)
    return None if percentage == 100.0 else table.getvalue().splitlines()[2]


def main() -> int:
    """0 when every core is covered and every test passes."""
    cores = pure_cores()
    measured = coverage.Coverage(data_file=None, config_file=str(ROOT / "pyproject.toml"))
    status = run_tests(measured, cores)
    gaps = [found for name, test in cores.items() if (found := gap(measured, name, test)) is not None]
    if gaps:
        print("\nNot covered by their own test files (lines, and branches as from->to):", *gaps, sep="\n")
    else:
        print(f"\n{len(cores)} pure cores, each covered to 100 % by its own test file")
    return 1 if status or gaps else 0


if __name__ == "__main__":
    sys.exit(main())
