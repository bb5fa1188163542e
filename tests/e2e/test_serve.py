"""``resonate-core serve`` as a program: says where it is, keeps what it is given, answers who may ask, ends well."""

from __future__ import annotations

import json
import re
import signal
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from resonate_core.serve.runner import check_exposure
from tests import programs

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 20
VERSION = "2026-04-01"


def serve(folder: Path, *arguments: str, token: str | None = None) -> tuple[programs.Program, str]:
    """Start a server on a free port; return it and its URL."""
    command = ["-c", "from resonate_core.cli import main; main()", "serve", "--port", "0", *arguments]
    env = {} if token is None else {"RESONATE_TOKEN": token}
    program = programs.start(command, folder=folder, env=env, name="serve", logs=folder)
    programs.wait_for(lambda: bool(program.output()), "the first line", seconds=SECONDS, alive=[program])
    match = re.search(r"http://\S+", program.output()[0])
    assert match
    return program, match[0]


def ask(url: str, kind: str, data: object, *, auth: str | None = None, **headers: str) -> tuple[int, object]:
    head = {"corrId": "c", "version": VERSION} | ({} if auth is None else {"auth": auth})
    return send(url, json.dumps({"kind": kind, "head": head, "data": data}).encode(), **headers)


def send(url: str, body: bytes | None, method: str | None = None, **headers: str) -> tuple[int, object]:
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, _plain(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _plain(error.read())


def _plain(body: bytes) -> object:
    try:
        return json.loads(body)["data"]
    except (ValueError, KeyError, TypeError):
        return body.decode()


def test_serve_on_a_file_keeps_promises_over_a_restart_and_ends_on_sigterm(tmp_path):
    first, url = serve(tmp_path, "--db", "kept.db")
    try:
        assert ask(url, "promise.create", {"id": "p", "timeoutAt": 2**50})[0] == 200
        assert send(f"{url}/health", None)[0] == 200
        assert send(f"{url}/ready", None)[0] == 200
        first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(SECONDS) == 0
    finally:
        first.kill()
    second, url = serve(tmp_path, "--db", "kept.db")
    try:
        assert ask(url, "promise.get", {"id": "p"})[0] == 200
    finally:
        second.stop()
    assert second.process.returncode == 0


def test_serve_killed_keeps_what_it_has_answered(tmp_path):
    program, url = serve(tmp_path, "--db", "kept.db")
    assert ask(url, "promise.create", {"id": "p", "timeoutAt": 2**50})[0] == 200
    program.kill()
    again, url = serve(tmp_path, "--db", "kept.db")
    try:
        assert ask(url, "promise.get", {"id": "p"})[0] == 200
    finally:
        again.stop()


def test_serve_with_token_answers_nothing_without_it(tmp_path):
    program, url = serve(tmp_path, "--db", "memory:", token="s3cret")
    try:
        for answer in (
            ask(url, "promise.search", {}),
            ask(url, "promise.search", {}, auth="guess"),
            ask(url, "promise.search", {}, Authorization="Bearer guess"),
            ask(url, "promise.search", {}, Authorization="Basic s3cret"),
            send(url, b"not an envelope"),
            send(url, b"x" * 3_000_000),
            send(f"{url}/health", None),
            send(f"{url}/poll/g/p", None),
            send(f"{url}/nowhere", None),
            send(url, None),
        ):
            assert answer == (401, "Unauthorized")
        assert ask(url, "promise.search", {}, auth="s3cret") == (200, {"promises": []})
        assert ask(url, "promise.search", {}, Authorization="Bearer s3cret") == (200, {"promises": []})
    finally:
        program.stop()


def test_serve_turns_web_pages_away(tmp_path):
    program, url = serve(tmp_path, "--db", "memory:")
    try:
        assert ask(url, "promise.search", {}, Origin="http://evil.example")[0] == 403
        assert send(f"{url}/poll/g/p", None, **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    finally:
        program.stop()


@pytest.mark.parametrize("path", ["promises/x", "tasks/claim", "schedules", "promises"])
def test_serve_older_protocol_is_gone(tmp_path_factory, serving, path):
    assert send(f"{serving}/{path}", None)[0] == 410
    assert send(f"{serving}/{path}", b"{}")[0] == 410


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    program, url = serve(tmp_path_factory.mktemp("serve"), "--db", "memory:")
    yield url
    program.stop()


def test_serve_body_over_the_limit_is_413_and_the_server_goes_on(serving):
    status, text = ask(serving, "promise.create", {"id": "x" * 2_200_000, "timeoutAt": 1})
    assert status == 413
    assert "2097152" in text
    data = {"id": "large", "timeoutAt": 2**50, "param": {"data": "x" * 2_000_000}}
    assert ask(serving, "promise.create", data)[0] == 200


def test_serve_nul_in_an_id_is_400(serving):
    assert ask(serving, "promise.create", {"id": "a\0", "timeoutAt": 2**50})[0] == 400
    assert ask(serving, "promise.get", {"id": "a\0"})[0] == 400


def test_serve_port_that_is_taken_is_said_in_one_line(tmp_path, serving):
    port = serving.rpartition(":")[2]
    arguments = ["-c", "from resonate_core.cli import main; main()", "serve", "--db", "memory:", "--port", port]
    program = programs.start(arguments, folder=tmp_path, env={}, name="second", logs=tmp_path)
    with pytest.raises(RuntimeError, match="ended with 1"):
        program.wait(SECONDS)
    assert re.fullmatch(
        rf"Error: cannot serve on 127\.0\.0\.1:{port}: .*choose another --port\n", program.log_file.read_text()
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_exposure_of_a_network_without_token_is_refused(host):
    with pytest.raises(Exception, match="--token"):
        check_exposure(host, None, is_open=False)
    check_exposure(host, "t", is_open=False)
    check_exposure(host, None, is_open=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_exposure_of_loopback_without_token_is_fine(host):
    check_exposure(host, None, is_open=False)
