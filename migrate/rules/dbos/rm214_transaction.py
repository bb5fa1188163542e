"""RM214: transactions of a datasource stay transactions; in a workflow each is a step that happens once."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, code
from migrate.plan.fragments import call as make_call
from migrate.rules.base import Rule
from migrate.rules.dbos.nodes import awaited, statement_of

if TYPE_CHECKING:
    from migrate.index.model import Module
    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import At, Facts, Marked

RULE: Final = Rule(
    code="RM214",
    title="A transaction of a datasource is a step that happens once",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
    source = SQLAlchemyDatasource.create(url)   the same, from resonate_core
    @source.transaction()                       the same
    total = reserve(order)                      total = yield ctx.run(reserve, order)
    source.run_tx_step({}, reserve, order)      yield ctx.run(source.transaction()(reserve), order)

The marker row stands in the table `resonate_transaction_outputs` of the same database and is written in the same
commit. Outside of workflows a transaction is a plain one on both sides. Async datasources and the
`@DBOS.transaction` of 2.x stay on the shim.""",
    why="A step may come again after a crash; its rows must not be written twice.",
    action="Make the datasource with create(url), and mark plain functions with transaction().",
    minutes=10,
)

DATASOURCE: Final = "dbos.SQLAlchemyDatasource"
CREATE: Final = f"{DATASOURCE}.create"
TRANSACTION: Final = f"{DATASOURCE}.transaction"
RUN: Final = f"{DATASOURCE}.run_tx_step"
SESSION: Final = f"{DATASOURCE}.sql_session"
_OURS: Final = "resonate_core.SQLAlchemyDatasource"
_OPTIONS: Final = frozenset({"isolation_level", "name"})


def survey(facts: Facts, mark: Marked) -> None:
    """Note what a transaction needs."""
    at = facts.at_mark(mark)
    facts.claim(mark.decorator)
    facts.explain(mark.decorator.func if isinstance(mark.decorator, ast.Call) else mark.decorator)
    facts.uses_datasource(at)
    facts.need_helper(at, RULE)
    keywords = mark.decorator.keywords if isinstance(mark.decorator, ast.Call) else []
    unknown = [entry.arg or "**" for entry in keywords if entry.arg not in _OPTIONS]
    if unknown:
        facts.stay(at, RULE, f"option {unknown[0]} of a transaction has no counterpart")
    elif mark.definition.is_async:
        facts.stay(at, RULE, "this transaction is async, and its engine is not")


def survey_create(facts: Facts, module: Module, call: ast.Call) -> None:
    """Note where a datasource is made."""
    facts.claim(call.func)
    at = facts.at_wiring(module, call)
    facts.uses_datasource(at)
    is_class = facts.project.external(module, call.func) == DATASOURCE
    owner = call.func if is_class or not isinstance(call.func, ast.Attribute) else call.func.value
    _rename(facts, at, owner)


def survey_run(facts: Facts, module: Module, call: ast.Call) -> None:
    """Note a call of ``run_tx_step``."""
    facts.explain(call.func)
    at = facts.at(module, call)
    facts.uses_datasource(at)
    if len(call.args) < 2 or any(isinstance(one, ast.Starred) for one in call.args[:2]):
        facts.stay(at, RULE, "the function of this transaction is not plain to see")
    elif at.place == "nested":
        facts.stay(at, RULE, "run_tx_step is called in a function that other code calls")
    elif at.place == "workflow":
        facts.need_helper(at, RULE)
        node = awaited(module, call)
        facts.site(at, node)
        facts.later(at, lambda job: _edit(job, at, call, node))


def _edit(job: Job, at: At, call: ast.Call, node: ast.expr) -> None:
    options, function, *rest = call.args
    run = f"{at.ctx(job)}.run"
    said = _written_out(options)
    if said is None:
        command = make_call(run, call.func, *call.args, *call.keywords)
    else:
        assert isinstance(call.func, ast.Attribute)
        marked = make_call(code("{}.transaction", call.func.value), *[Named(*one) for one in said])
        command = make_call(run, code("{}({})", marked, function), *rest, *call.keywords)
    at.file(job).replace(node, code("yield {}", command), code=RULE.code)


def _written_out(options: ast.expr) -> list[tuple[str, ast.expr]] | None:
    """Return the options of a call by name, None if they are not plain to see."""
    if isinstance(options, ast.Constant) and options.value is None:
        return []
    if not isinstance(options, ast.Dict):
        return None
    pairs = list(zip(options.keys, options.values, strict=True))
    if not all(isinstance(key, ast.Constant) and key.value in _OPTIONS for key, _ in pairs):
        return None
    return [(str(key.value), value) for key, value in pairs]  # type: ignore[union-attr]


def survey_session(facts: Facts, module: Module, call: ast.Call) -> None:
    """Note a use of the session, which stays as it is."""
    facts.explain(call.func)
    facts.uses_datasource(facts.at(module, call))


def survey_mention(facts: Facts, module: Module, node: ast.Attribute | ast.Name) -> None:
    """Note the class in an annotation or an empty declaration: it takes the import along."""
    facts.claim(node)
    at = facts.at_wiring(module, statement_of(module, node))
    facts.uses_datasource(at)
    _rename(facts, at, node)


def _rename(facts: Facts, at: At, node: ast.expr) -> None:
    facts.later(at, lambda job: at.file(job).replace(node, at.file(job).name(_OURS), code=RULE.code))
