"""The floor plan that tests/test_architecture.py checks: who may import whom, and which modules are pure.

Every module stands here. A *pure core* reads no clock, file, socket or random source, gets ``now_ms`` from its caller,
and reaches 100 % branch coverage from its own test file. A *shell* owns tasks, sockets, files or processes.
A line that ends in ``.*`` places a whole folder; a module's own line goes before it. Modules called ``ports`` hold only
Protocols and, like a package's ``__init__`` with nothing but a docstring, need no line. A pure core that only declares
data, without a function, needs no test file.
"""

from __future__ import annotations

# Each package and what it may import of ours besides itself. A name stands for the module and all below it.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "signaling": (),
    "devices": ("signaling",),
    # Never drivers, transports or the agent: the gateway starts without pyserial.
    "remotelab": (
        "signaling",
        "devices.model",
        "devices.limits",
        "devices.interlock",
        "devices.queue",
        "devices.messages",
    ),
    "classroom": ("signaling",),
    "web": ("signaling", "devices", "remotelab", "classroom"),
}

# Folders with Python in them that are no part of the product and may import all of it.
NOT_SHIPPED = ("tests", "benchmarks", ".ci")

PURE: tuple[str, ...] = (
    "devices.agent.health",
    "devices.agent.interlocks",
    "devices.agent.polling",
    "devices.codecs.line",
    "devices.codecs.modbus_rtu",
    "devices.declaration",
    "devices.interlock",
    "devices.journal",
    "devices.limits",
    "devices.messages",
    "devices.model",
    "devices.queue",
    "devices.sim.faults",
    "devices.sim.firmware.*",
    "devices.sim.physics.*",
    "remotelab.admission",
    "remotelab.bench",
    "remotelab.bench_state",
    "remotelab.client_core",
    "remotelab.client_errors",
    "remotelab.effects",
    "remotelab.executions",
    "remotelab.lease",
    "remotelab.messages",
    "remotelab.mirror",
    "remotelab.outcomes",
    "remotelab.panel",
    "remotelab.presence",
    "remotelab.rate",
    "remotelab.sessions",
    "remotelab.standing",
    "remotelab.stats",
    "remotelab.stops",
    "remotelab.telemetry",
    "remotelab.values",
    "signaling.backoff",
    "signaling.clock",
    "signaling.errors",
    "signaling.messages",
    "signaling.outbox",
    "signaling.session",
    "signaling.tokens",
    "signaling.wire",
)

SHELL: tuple[str, ...] = (
    "devices.agent.*",
    "devices.conversation",
    "devices.driver",
    "devices.drivers.*",
    "devices.journal_file",
    "devices.registry",
    "devices.sim.__main__",
    "devices.sim.bench",
    "devices.sim.loops",
    "devices.sim.process",
    "devices.sim.pty_port",
    "devices.transports.*",
    "remotelab.agent_in_memory",
    "remotelab.agents",
    "remotelab.audit_file",
    "remotelab.bench_shell",
    "remotelab.client",
    "remotelab.client_blocking",
    "remotelab.client_link",
    "remotelab.service",
    "remotelab.store_sqlite",
    "web.*",
)

# What a pure core may not import: whatever acts on the world or answers differently the second time.
_IMPURE = """
    asyncio time random secrets uuid socket socketserver ssl select selectors signal threading multiprocessing
    concurrent contextvars subprocess os pty tty termios fcntl io pathlib glob shutil tempfile fileinput mmap ctypes
    sqlite3 shelve dbm http urllib.request ftplib smtplib logging platform getpass locale resource gc importlib
"""
IMPURE_STANDARD_LIBRARY = frozenset(_IMPURE.split())

# Third-party code without I/O that a pure core may use.
PURE_THIRD_PARTY = ("msgpack", "jwt")

# What a distribution is called when it is imported, where that is another name.
IMPORT_NAMES = {"pyserial": "serial", "pyjwt": "jwt"}

# What a base install, without extras, must be able to run: these and everything that importing them brings in.
BASE_INSTALL = ("devices", "remotelab.client", "web.cli")

# uvloop is used where it is installed, inside a function that asks for it.
OPTIONAL_EVERYWHERE = ("uvloop",)
