"""DBOS beside a web application: any ASGI or WSGI application will do, so none is needed here."""

from __future__ import annotations

import asyncio

import pytest

from compat.dbos import DBOS
from compat.dbos.error import DBOSException, DBOSNotAuthorizedError


@DBOS.workflow()
def answers() -> str:
    return str(DBOS.workflow_id)


class Application:
    """As much of FastAPI as is used."""

    def __init__(self):
        self.layers = []
        self.handlers = {}

    def add_middleware(self, kind, **options):
        self.layers.append((kind, options))

    def add_exception_handler(self, kind, handler):
        self.handlers[kind] = handler

    def __call__(self, inner):
        for kind, options in self.layers:
            inner = kind(inner, **options)
        return inner


async def lives(scope, receive, send):
    if scope["type"] == "lifespan":
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    else:
        await send({"type": "answer", "body": await asyncio.to_thread(answers)})


def test_application_launches_and_destroys_and_names_the_workflow_of_a_request(tmp_path, monkeypatch):
    monkeypatch.setenv("RESONATE_URL", f"sqlite:///{tmp_path}/web.db")
    app, said = Application(), []
    DBOS(config={"name": "web"}, fastapi=app)

    async def serve():
        over, begun = asyncio.Event(), asyncio.Event()

        async def send(message):
            said.append(message.get("body", message["type"]))
            begun.set()

        life = asyncio.create_task(app(lives)({"type": "lifespan"}, over.wait, send))
        await begun.wait()
        headers = [(b"dbos-idempotency-key", b"request-1")]
        await app(lives)({"type": "http", "headers": headers}, None, send)
        over.set()
        await life

    asyncio.run(serve())
    assert said == ["lifespan.startup.complete", "request-1", "lifespan.shutdown.complete"]
    assert set(app.handlers) == {DBOSException}


def test_errors_are_answered_with_their_status():
    pytest.importorskip("starlette")
    app = Application()
    DBOS(config={"name": "web"}, fastapi=app)
    try:
        answer = asyncio.run(app.handlers[DBOSException](None, DBOSNotAuthorizedError("no role")))
    finally:
        DBOS.destroy()
    assert (answer.status_code, b"no role" in answer.body) == (403, True)


def test_wsgi_application_reads_the_header(dbos):
    class Flask:
        wsgi_app = staticmethod(lambda _environ, _start: [answers().encode()])

    app = Flask()
    DBOS(flask=app)
    assert app.wsgi_app({"HTTP_DBOS_IDEMPOTENCY_KEY": "request-2"}, None) == [b"request-2"]
