"""RM253: ``DBOS.span`` in a step becomes OpenTelemetry's current span."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import code
from migrate.rules.base import Rule

if TYPE_CHECKING:
    import ast

    from migrate.index.model import Module
    from migrate.rules.dbos.facts import Facts

RULE: Final = Rule(
    code="RM253",
    title="DBOS.span in a step becomes OpenTelemetry's current span",
    family="dbos",
    level="review",
    applicability="review",
    what="""\
    DBOS.span.set_attribute("key", task.key)    get_current_span().set_attribute("key", task.key)

`get_current_span` is OpenTelemetry's own. In a step it is the span of the attempt, which `Resonate(tracer=...)` makes;
without a tracer it records nothing. Elsewhere `DBOS.span` stays, with its workflow, on the shim: the span of a function
is made when it ends.""",
    why="A step has one span for each attempt on both sides.",
    action='Give the client a tracer, Resonate(tracer=trace.get_tracer("orders")), and depend on opentelemetry-api.',
    minutes=5,
)

_SPAN: Final = "opentelemetry.trace.get_current_span"


def survey(facts: Facts, module: Module, node: ast.Attribute) -> None:
    """Note a mention of the span."""
    facts.claim(node)
    at = facts.at(module, node)
    if at.place != "step":
        facts.stay(at, RULE, "the span of a workflow, which has none while it runs")
        return
    facts.later(at, lambda job: at.file(job).replace(node, code("{}()", at.file(job).name(_SPAN)), code=RULE.code))
    facts.tell(at, RULE.code, "review", "the span is that of the attempt; Resonate(tracer=...) makes it", RULE.action)
