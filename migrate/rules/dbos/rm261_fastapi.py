"""RM261: ``DBOS(fastapi=app)`` launched with the application; a lifespan does it now."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule
from migrate.rules.dbos import rm270_classes
from migrate.rules.dbos.nodes import keyword, statement_of

if TYPE_CHECKING:
    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import At, Facts

RULE: Final = Rule(
    code="RM261",
    title="The launch that DBOS tied to FastAPI becomes a lifespan",
    family="dbos",
    level="manual",
    applicability="review",
    what="""\
    app = FastAPI()                             @asynccontextmanager
    DBOS(fastapi=app, config=config)            async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
                                                    resonate.register_all()
                                                    await resonate.aio.start()
                                                    yield
                                                    await resonate.aio.stop()

                                                app = FastAPI(lifespan=lifespan)

An application that has a lifespan of its own, or is made elsewhere, stays, and so does Flask.""",
    why="DBOS 2 launched when the application started, and ended with it.",
    action="Start the client in the application's own lifespan: resonate.register_all(), await resonate.aio.start().",
    minutes=10,
)

_FASTAPI: Final = frozenset({"fastapi.FastAPI", "fastapi.applications.FastAPI"})


def application(facts: Facts, at: At) -> ast.Call | None:
    """Return the call that makes the application, if a lifespan can be given to it."""
    assert isinstance(at.node, ast.Call)
    app = keyword(at.node, "fastapi")
    if not isinstance(app, ast.Name):
        return None
    bindings = at.module.scope.bindings.get(app.id, [])
    value = bindings[0].value if len(bindings) == 1 and bindings[0].how == "assign" else None
    if not isinstance(value, ast.Call) or facts.project.external(at.module, value.func) not in _FASTAPI:
        return None
    if any(entry.arg in ("lifespan", "on_startup", "on_shutdown", None) for entry in value.keywords):
        return None
    at_top = at.module.parents.get(statement_of(at.module, at.node)) is at.module.tree
    return value if at_top and "lifespan" not in at.module.scope.bindings else None


def edit(job: Job, facts: Facts, at: At, app: ast.Call) -> None:
    """Write the lifespan above the application, and give it to it."""
    file = at.file(job)
    client = facts.client_name(job, at)
    manager, iterator = file.name("contextlib.asynccontextmanager"), file.name("collections.abc.AsyncIterator")
    lines = [
        f"@{manager}",
        f"async def lifespan(_app: {ast.unparse(app.func)}) -> {iterator}[None]:",
        f"    {client}.register_all()",
        *(f"    {line}" for line in rm270_classes.registrations(job, facts, at, client)),
        f"    await {client}.aio.start()",
        "    yield",
        f"    await {client}.aio.stop()",
        "\n",
    ]
    statement = statement_of(at.module, app)
    body = at.module.tree.body
    above = body[body.index(statement) - 1] if statement in body[1:] else None
    if isinstance(above, (ast.Import, ast.ImportFrom)):
        lines[0] = "\n" + lines[0]
    file.insert_before(statement, "\n".join(lines), code=RULE.code)
    file.add_argument(app, "lifespan=lifespan", code=RULE.code)
