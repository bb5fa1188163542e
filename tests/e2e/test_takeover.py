"""Worker processes on one file, no server: dead and paused ones are replaced, and refused when they come back."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from resonate_core import Resonate

WORKER = Path(__file__).parent / "takeover" / "worker.py"


@contextmanager
def worker(directory: Path, name: str):
    command = [sys.executable, str(WORKER), str(directory / "r.db"), str(directory / "trace"), name]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate()


def lines(directory: Path) -> list[list[str]]:
    trace = directory / "trace"
    return [line.split() for line in trace.read_text().splitlines()] if trace.exists() else []


def wait_for(condition) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


@pytest.fixture
def client(tmp_path):
    with ExitStack() as stack:
        resonate = Resonate(f"sqlite:///{tmp_path / 'r.db'}")
        stack.callback(resonate.stop)
        yield resonate


@pytest.mark.slow
def test_killed_worker_is_replaced_and_recorded_steps_do_not_run_again(tmp_path, client):
    with worker(tmp_path, "first") as first:
        handle = client.begin_rpc("job", "job", 6)
        wait_for(lambda: len(lines(tmp_path)) >= 3)
        first.kill()
        with worker(tmp_path, "second"):
            result = handle.result(30)
    ran = [(name, int(index)) for name, index in lines(tmp_path)]
    first_ran = {index for name, index in ran if name == "first"}
    second_ran = [index for name, index in ran if name == "second"]
    assert [int(item.rsplit(":", 1)[1]) for item in result] == list(range(6))
    assert len(first_ran & set(second_ran)) <= 1, "at most the step that was under way runs again"
    assert second_ran == sorted(second_ran)


@pytest.mark.slow
def test_worker_paused_past_its_lease_is_refused_when_it_comes_back(tmp_path, client):
    with worker(tmp_path, "first") as first:
        handle = client.begin_rpc("job", "job", 6)
        wait_for(lambda: len(lines(tmp_path)) >= 2)
        first.send_signal(signal.SIGSTOP)
        with worker(tmp_path, "second"):
            wait_for(lambda: any(name == "second" for name, _ in lines(tmp_path)))
            taken = min(int(index) for name, index in lines(tmp_path) if name == "second")
            first.send_signal(signal.SIGCONT)
            result = handle.result(30)
            owners = [item.split(":")[0] for item in result]
            assert owners == ["first"] * taken + ["second"] * (6 - taken)
            assert client.get("job").result(5) == result


@pytest.mark.slow
def test_graceful_stop_hands_over_at_once(tmp_path, client):
    with worker(tmp_path, "first") as first:
        handle = client.begin_rpc("job", "job", 6)
        wait_for(lambda: len(lines(tmp_path)) >= 2)
        with worker(tmp_path, "second"):
            first.send_signal(signal.SIGTERM)
            first.wait(20)
            assert first.returncode == 0, first.stderr.read()
            result = handle.result(30)
    ran = [int(index) for _, index in lines(tmp_path)]
    assert sorted(ran) == list(range(6)), "a step that was running at the stop is finished, not repeated"
    assert len(result) == 6
