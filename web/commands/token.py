"""``tongke token``: a link for a person, or a token for a lab PC."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommand."""
    parser = subparsers.add_parser(
        "token",
        help="make a link for a person or a token for a lab PC",
        description="Make a signed token. Run it on the server, with the server's --data folder.",
    )
    parser.add_argument("--bench", action="append", required=True, metavar="NAME", help="a bench; repeat for more")
    parser.add_argument("--agent", metavar="NAME", help="make a token for this lab PC instead of a link for a person")
    parser.add_argument("--name", default="Guest", help="the person's name, as others see it")
    parser.add_argument("--subject", help="who it is, stable across tokens; made up when absent")
    parser.add_argument(
        "--rights", default="control,stop", help="of observe, control, stop, supervise; observe is always in"
    )
    parser.add_argument("--hours", type=float, help="how long it is valid (2 for people, 8760 for lab PCs)")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the server's address, for the link")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="the server's settings file")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the server's data folder")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the link or the token."""
    import secrets

    from signaling.errors import OurError
    from signaling.tokens import Audience, Grant, Right, sign
    from web.app import KEY_FILE
    from web.keys import load_keys
    from web.settings import SettingsError, load_settings

    try:
        settings = load_settings(options.settings, os.environ, {"data": options.data})
        keys = load_keys(settings.data / KEY_FILE)
        rights = {Right(name.strip()) for name in options.rights.split(",") if name.strip()} | {Right.OBSERVE}
    except (SettingsError, OurError, ValueError) as error:
        sys.stderr.write(f"tongke token: {error}\n")
        return 1
    now_s = time.time()
    hours = options.hours if options.hours is not None else (8_760 if options.agent else 2)
    audience = Audience.AGENT if options.agent else Audience.BENCH
    subject = options.agent or options.subject or f"guest-{secrets.token_hex(4)}"
    grant = Grant(
        audience=audience,
        subject=subject,
        name=options.agent or options.name,
        scope=tuple(options.bench),
        rights=frozenset() if options.agent else frozenset(rights),
        expires_s=now_s + hours * 3600,
    )
    token = sign(grant, keys, now_s=now_s)
    lines = [token] if options.agent else [f"{options.url}/lab/{bench}#token={token}" for bench in options.bench]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0
