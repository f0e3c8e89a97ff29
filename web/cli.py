"""``tongke``: the command line. Each subcommand stands in its own module and loads what it needs only when it runs."""

from __future__ import annotations

import argparse
import importlib
import sys

_COMMANDS = ("serve", "demo", "agent", "devices", "simulate", "token")
_EXTRAS = dict.fromkeys(("aiohttp", "jwt", "orjson", "prometheus_client"), "server")


def main(arguments: list[str] | None = None) -> int:
    """Run ``tongke`` with the arguments of the command line; the exit status."""
    parser = argparse.ArgumentParser(
        prog="tongke",
        description="Remote laboratories and live lessons: students drive real instruments from far away.",
        epilog="Try it: tongke demo. Help on one of them: tongke serve --help.",
    )
    subparsers = parser.add_subparsers(title="what to do", metavar="COMMAND", required=True)
    for name in _COMMANDS:
        importlib.import_module(f"web.commands.{name}").add_parser(subparsers)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        sys.stderr.write(f"tongke: this needs the {extra} part of Tongke: pip install 'tongke[{extra}]'\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
