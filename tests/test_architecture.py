"""The structure of the project as tests: imports, purity, sizes, names. The rules' data is in tests/floorplan.py."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests import floorplan

ROOT = Path(__file__).parent.parent
PACKAGES = tuple(floorplan.MAY_IMPORT)
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 80
MAX_CLASS_METHODS = 20

REGISTRY_HOST = re.compile(
    r"registry\.(?:np[m]js|yarn[p]kg|npm[m]irror)\.\w+|(?:files\.)?(?:python[h]osted|py[p]i)\.org\b"
)
MACHINE_PATH = re.compile(r"(?<![\w.\-/])/(?:root|work|home/[a-z]\w*|opt)/")
SILENCER = re.compile(r"#\s*(?:type:\s*ignore|noqa)\b(?P<rest>.*)")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name, and whether it is imported as soon as its module is."""

    name: str
    line: int
    at_once: bool


@cache
def own_files() -> tuple[Path, ...]:
    """Every file of the project that git tracks or would track."""
    # A checkout that belongs to another user, as in a container, is as good.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for name in sorted(filter(None, listed.split("\0"))) if (path := ROOT / name).is_file())


def python_files() -> list[Path]:
    return [path for path in own_files() if path.suffix == ".py"]


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    return {module_name(path): path for path in python_files() if path.relative_to(ROOT).parts[0] in PACKAGES}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


@cache
def imports(path: Path) -> tuple[Import, ...]:
    return tuple(_imports(tree(path), at_once=True))


def _imports(node: ast.AST, at_once: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, at_once) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{child.lineno}: relative import"
            base = child.module or ""
            yield from (Import(f"{base}.{alias.name}", child.lineno, at_once) for alias in child.names)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or _is_type_checking(child)
            yield from _imports(child, at_once and not inside)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def is_within(name: str, parents: Iterable[str]) -> bool:
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


def placed_as(name: str) -> str | None:
    """How the floor plan places a module: its own line first, then the line of the nearest folder."""
    folders = [f"{name.rsplit('.', depth)[0]}.*" for depth in range(1, name.count(".") + 1)]
    for line in [name, f"{name}.*", *folders]:
        if line in floorplan.PURE:
            return "pure"
        if line in floorplan.SHELL:
            return "shell"
    return None


def needs_no_place(name: str) -> bool:
    path = modules()[name]
    only_docstring = path.name == "__init__.py" and len(tree(path).body) <= 1
    return only_docstring or path.stem == "ports"


def own_test_file(name: str) -> Path:
    """tests/devices/test_queue.py for devices.queue."""
    *folders, stem = name.split(".")
    return ROOT.joinpath("tests", *folders, f"test_{stem}.py")


def pure_cores() -> dict[str, Path]:
    """Each pure core that does something, and the test file that alone must cover it."""
    return {
        name: own_test_file(name)
        for name, path in modules().items()
        if placed_as(name) == "pure" and any(isinstance(node, ast.FunctionDef) for node in ast.walk(tree(path)))
    }


def fail_on(complaints: Iterable[str]) -> None:
    found = list(complaints)
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_every_folder_of_python_is_on_the_floor_plan() -> None:
    known = {*PACKAGES, *floorplan.NOT_SHIPPED}
    folders = {path.relative_to(ROOT).parts[0] for path in python_files() if path.parent != ROOT}
    fail_on(f"{folder}/ is new: place it in tests/floorplan.py" for folder in sorted(folders - known))


def test_every_package_of_the_floor_plan_exists_and_is_shipped() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(PACKAGES)
    fail_on(f"{package} has no __init__.py" for package in PACKAGES if package not in modules())


def test_every_module_is_placed_as_pure_core_or_shell() -> None:
    fail_on(
        f"{name} is not placed. Add it in tests/floorplan.py: to PURE, if it takes now_ms and returns values (it must "
        f"then be covered by {shown(own_test_file(name))} alone), or to SHELL, if it owns tasks, sockets or files"
        for name in modules()
        if placed_as(name) is None and not needs_no_place(name)
    )


def test_the_floor_plan_names_only_modules_that_exist() -> None:
    lines = [*floorplan.PURE, *floorplan.SHELL]
    fail_on(f"{line} is placed twice" for line in sorted({line for line in lines if lines.count(line) > 1}))
    fail_on(
        f"{line} is on the floor plan but not in the tree: remove its line from tests/floorplan.py"
        for line in lines
        if line.removesuffix(".*") not in modules()
    )


def test_every_pure_core_has_its_own_test_file() -> None:
    fail_on(f"{name} lacks {shown(test)}" for name, test in pure_cores().items() if not test.is_file())


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_down_only(package: str) -> None:
    allowed = (package, *floorplan.MAY_IMPORT[package])
    ours = (*PACKAGES, *floorplan.NOT_SHIPPED)
    fail_on(
        f"{shown(path)}:{found.line} imports {found.name}; {package} may import {', '.join(allowed)}"
        for name, path in modules().items()
        if is_within(name, [package])
        for found in imports(path)
        if is_within(found.name, ours) and not is_within(found.name, allowed)
    )


def _impure(name: str) -> str | None:
    """Why a pure core may not import this name, or nothing."""
    if is_within(name, PACKAGES):
        module = name if name in modules() else name.rpartition(".")[0]
        return "a shell" if module in modules() and placed_as(module) == "shell" else None
    if name.partition(".")[0] in sys.stdlib_module_names:
        return "impure" if is_within(name, floorplan.IMPURE_STANDARD_LIBRARY) else None
    return None if is_within(name, floorplan.PURE_THIRD_PARTY) else "third-party code not listed as free of I/O"


def test_pure_cores_import_nothing_that_acts_on_the_world() -> None:
    fail_on(
        f"{shown(path)}:{found.line} is a pure core and imports {found.name}, which is {reason}"
        for name, path in modules().items()
        if placed_as(name) == "pure" or needs_no_place(name)
        for found in imports(path)
        if (reason := _impure(found.name)) is not None
    )


def test_pure_cores_neither_wait_nor_open_files() -> None:
    def waits_or_opens(node: ast.AST) -> bool:
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            return True
        called = node.func if isinstance(node, ast.Call) else None
        return isinstance(called, ast.Name) and called.id in {"open", "input", "print"}

    fail_on(
        f"{shown(modules()[name])}:{getattr(node, 'lineno', 0)} waits or does I/O in a pure core"
        for name in pure_cores()
        for node in ast.walk(tree(modules()[name]))
        if waits_or_opens(node)
    )


def test_ports_hold_only_protocols() -> None:
    for path in modules().values():
        if path.stem == "ports":
            classes = [node for node in tree(path).body if isinstance(node, ast.ClassDef)]
            fail_on(
                f"{shown(path)}:{node.lineno} {node.name} is no Protocol: put it beside the code that it serves"
                for node in classes
                if "Protocol" not in {base.id for base in node.bases if isinstance(base, ast.Name)}
            )


def _brought_in(name: str, seen: dict[str, str]) -> None:
    """Follows what importing one of our modules imports at once, into ``seen``: name to the importer."""
    for found in imports(modules()[name]):
        if not found.at_once:
            continue
        ours = next((module for module in (found.name, found.name.rpartition(".")[0]) if module in modules()), None)
        target = ours or found.name.partition(".")[0]
        if target not in seen:
            seen[target] = f"{shown(modules()[name])}:{found.line}"
            if ours:
                _brought_in(ours, seen)


def test_a_base_install_is_enough_for_the_agent_and_the_client() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    distributions = [re.split(r"[^\w-]", line)[0].lower() for line in project["dependencies"]]
    base = {floorplan.IMPORT_NAMES.get(name, name) for name in distributions}
    seen: dict[str, str] = {}
    for name in modules():
        if is_within(name, floorplan.BASE_INSTALL):
            seen.setdefault(name, "tests/floorplan.py")
            _brought_in(name, seen)
    fail_on(
        f"{importer} brings {name} into the base install, which lacks it: import it where it is used, or not at all"
        for name, importer in seen.items()
        if not is_within(name, PACKAGES) and name not in sys.stdlib_module_names and name not in base
    )


def test_optional_packages_are_imported_only_where_they_are_used() -> None:
    fail_on(
        f"{shown(path)}:{found.line} imports {found.name} at once; not every machine has it"
        for path in modules().values()
        for found in imports(path)
        if found.at_once and is_within(found.name, floorplan.OPTIONAL_EVERYWHERE)
    )


def test_no_file_is_longer_than_its_cap() -> None:
    fail_on(
        f"{shown(path)} has {lines} lines, more than {MAX_FILE_LINES}"
        for path in own_files()
        if path.suffix in {".py", ".ts", ".tsx", ".css"}
        if (lines := len(path.read_text().splitlines())) > MAX_FILE_LINES
    )


def test_no_function_is_longer_than_its_cap() -> None:
    fail_on(
        f"{shown(path)}:{node.lineno} {node.name} has {lines} lines, more than {MAX_FUNCTION_LINES}"
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    )


def test_no_class_has_more_methods_than_its_cap() -> None:
    fail_on(
        f"{shown(path)}:{node.lineno} {node.name} has {count} methods, more than {MAX_CLASS_METHODS}"
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
        if (count := sum(isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) for item in node.body))
        > MAX_CLASS_METHODS
    )


def test_no_file_has_a_name_that_says_nothing() -> None:
    fail_on(
        f"{shown(path)}: name it after what it is"
        for path in own_files()
        if FORBIDDEN_NAMES & {part.lower() for part in re.split(r"[._\-/]", shown(path))}
    )


def test_every_test_folder_is_a_package() -> None:
    folders = {path.parent for path in python_files() if path.relative_to(ROOT).parts[0] in ("tests", "benchmarks")}
    fail_on(f"{shown(folder)} lacks __init__.py" for folder in sorted(folders) if not (folder / "__init__.py").exists())


def test_every_silenced_warning_has_its_reason_beside_it() -> None:
    code = r"(?:\[[\w\-, ]+\]|:\s*[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*)"
    fail_on(
        f"{shown(path)}:{number} silences a warning without a code and a reason: {line.strip()}"
        for path in python_files()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (silencer := SILENCER.search(line)) and not re.match(code + r"\W+\w.*\w", silencer["rest"])
    )


def _texts() -> Iterator[tuple[Path, int, str]]:
    for path in own_files():
        content = path.read_bytes()
        if b"\0" not in content:
            for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
                yield path, number, line


def test_no_file_names_a_registry_or_a_path_of_somebodys_machine() -> None:
    fail_on(
        f"{shown(path)}:{number} names {found[0]}"
        for path, number, line in _texts()
        for found in (REGISTRY_HOST.search(line), MACHINE_PATH.search(line))
        if found
    )


def test_the_lock_file_carries_no_addresses() -> None:
    lock = (ROOT / "web" / "frontend" / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
