"""RM556: work in a workflow's body that blocks its thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.rules.base import Rule

if TYPE_CHECKING:
    import ast

    from migrate.index.model import Module
    from migrate.rules.dbos.facts import Facts

RULE: Final = Rule(
    code="RM556",
    title="A workflow's body does blocking work",
    family="semantics",
    level="review",
    applicability="review",
    what="""\
A call to the network, to another process or to a database that stands in the body itself, not in a step. It is neither
recorded nor retried, as under DBOS, and is made again when the body is replayed.""",
    why="Bodies of one worker take turns on one thread; DBOS gave each its own. One that waits holds up all others.",
    action="Move the call into a step.",
    minutes=10,
)

_PREFIXES: Final = (
    "requests.", "httpx.", "urllib.request.", "subprocess.", "smtplib.", "socket.", "boto3.", "psycopg.", "psycopg2.",
    "sqlalchemy.create_engine", "openai.", "os.system",
)  # fmt: skip


def survey(facts: Facts, module: Module, call: ast.Call, name: str) -> None:
    """Note a blocking call in a body that becomes a generator."""
    if not name.startswith(_PREFIXES) or name.rpartition(".")[2][:1].isupper():
        return
    if facts.place(module, call) == "workflow" and facts.is_durable_at(module, call):
        message = f"{name} is called in a workflow's body and holds up every other workflow of the worker"
        facts.tell(facts.at(module, call), RULE.code, "review", message, RULE.action)
