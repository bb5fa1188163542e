"""The command line on a terminal: colours, the progress bar, questions, Ctrl-C."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.test_cli_runs import FLOW, snapshot


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.py").write_text(FLOW.format(name="first"))
    (tmp_path / "b.py").write_text(FLOW.format(name="second"))
    return tmp_path


def on_terminal(folder, *arguments, answers=(), **environment):
    """Run with a terminal on all three streams; answer each prompt; return exit code and output."""
    main, other = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm", "COLUMNS": "200", **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "migrate", *arguments], cwd=folder, env=env, stdin=other, stdout=other, stderr=other
    )
    os.close(other)
    output = ""
    waiting = list(answers)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        ready, _, _ = select.select([main], [], [], 0.1)
        if ready:
            try:
                data = os.read(main, 65536)
            except OSError:
                break
            if not data:
                break
            output += data.decode()
            if waiting and output.rstrip().endswith("rest):"):
                os.write(main, f"{waiting.pop(0)}\n".encode())
        elif process.poll() is not None:
            break
    os.close(main)
    return process.wait(timeout=10), output


def test_terminal_shows_colours_and_a_bar_that_goes_away(folder):
    code, output = on_terminal(folder, "--dry-run")
    assert code == 0
    assert "\x1b[32m+@durable()" in output
    assert "reading" in output
    assert "\r\x1b[K" in output


def test_terminal_without_colour_if_asked(folder):
    _, output = on_terminal(folder, "--dry-run", NO_COLOR="1")
    assert not re.search(r"\x1b\[3\dm", output)
    assert "+@durable()" in output


def test_interactive_writes_what_is_agreed_to_and_leaves_the_rest(folder):
    before = snapshot(folder)
    code, output = on_terminal(folder, "--interactive", answers=["n", "y"])
    assert code == 0
    assert "[1/2] Write these?" in output
    assert (folder / "a.py").read_bytes() == before[folder / "a.py"]
    assert "@durable()" in (folder / "b.py").read_text()


def test_interactive_quit_leaves_everything(folder):
    before = snapshot(folder)
    code, _ = on_terminal(folder, "--interactive", answers=["q"])
    assert (code, snapshot(folder)) == (0, before)


def test_interrupt_ends_with_130_and_nothing_half_written(folder):
    before = snapshot(folder)
    code = (
        "import os, signal, sys\n"
        "import migrate.commands.migrate as command\n"
        "from migrate.__main__ import call\n"
        "def interrupted(*_, **__):\n    os.kill(os.getpid(), signal.SIGINT)\n"
        "command._write = interrupted\n"
        "sys.exit(call([]))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 130
    assert "interrupted" in done.stderr
    assert snapshot(folder) == before
