"""DBOS beside a web framework: it lives as long as the application, and a header names the workflow of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from compat.dbos.context import SetWorkflowID
from compat.dbos.error import DBOSException, DBOSNotAuthorizedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from compat.dbos.dbos import DBOS

#: A request with this header runs the first workflow that it starts under the header's value.
HEADER: Final = "dbos-idempotency-key"
_UNAUTHORIZED: Final = 403


def serve_fastapi(app: Any, dbos: type[DBOS]) -> None:
    """Launch DBOS with a FastAPI application and destroy it with it; answer DBOS's errors as DBOS does.

    Args:
        app: a ``FastAPI``, or anything else with ``add_middleware`` and ``add_exception_handler``.
        dbos: what is launched.
    """
    app.add_middleware(_Asgi, dbos=dbos)
    app.add_exception_handler(DBOSException, _answer)


def serve_flask(app: Any) -> None:
    """Read the header of requests to a Flask application."""
    app.wsgi_app = _wsgi(app.wsgi_app)


class _Asgi:
    def __init__(self, app: Any, dbos: type[DBOS]) -> None:
        self._app = app
        self._dbos = dbos

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def watched(message: Any) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._dbos.launch()
            elif message["type"] == "lifespan.shutdown.complete":
                self._dbos.destroy()
            await send(message)

        headers = dict(scope.get("headers") or ())
        key = headers.get(HEADER.encode(), b"").decode()
        with SetWorkflowID(key or None):
            await self._app(scope, receive, watched)


def _wsgi(app: Callable[..., Any]) -> Callable[..., Any]:
    def serve(environ: Any, start_response: Any) -> Any:
        key = environ.get("HTTP_" + HEADER.upper().replace("-", "_"))
        with SetWorkflowID(key or None):
            return app(environ, start_response)

    return serve


async def _answer(_request: Any, error: Exception) -> Any:
    from starlette.responses import JSONResponse  # noqa: PLC0415 - FastAPI brings it

    status = _UNAUTHORIZED if isinstance(error, DBOSNotAuthorizedError) else 500
    content = {"message": str(error), "dbos_error": type(error).__name__}
    return JSONResponse(content, status_code=status)
