"""``tongke serve``: the gateway that browsers, Python clients and lab PCs connect to."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

_FLAGS = ("host", "port", "data", "tls_cert", "tls_key", "pretend_benches")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommand."""
    parser = subparsers.add_parser(
        "serve",
        help="run the server that people and lab PCs connect to",
        description="Run the server. Settings come from a TOML file, TONGKE_… in the environment, and these options.",
    )
    parser.add_argument("--settings", type=Path, metavar="FILE", help="a TOML file with settings")
    parser.add_argument("--host", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port to listen on (8080); 0 takes a free one")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where keys, leases and the audit log live")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate chain in PEM; with --tls-key")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="private key in PEM")
    parser.add_argument(
        "--pretend-benches", type=int, metavar="N", help="N benches that answer at once, for load tests"
    )
    parser.add_argument("--demo", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--quiet", action="store_true", help="log warnings only")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from signaling.errors import OurError
    from web.server import serve
    from web.settings import SettingsError, load_settings

    file = options.settings or (Path(path) if (path := os.environ.get("TONGKE_SETTINGS")) else None)
    flags = {name: getattr(options, name) for name in _FLAGS}
    try:
        settings = load_settings(file, os.environ, flags)
        return serve(settings, demo=options.demo, quiet=options.quiet)
    except SettingsError as error:
        sys.stderr.write(f"tongke serve: {error}\n")
    except (OurError, OSError) as error:
        sys.stderr.write(f"tongke serve: {getattr(error, 'text', error)}\n")
    return 1
