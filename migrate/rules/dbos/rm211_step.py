"""RM211: ``@DBOS.step(...)`` becomes ``@step(...)``; what DBOS does without saying so is said."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, call
from migrate.rules.base import Rule
from migrate.rules.dbos import rm551_last_error
from migrate.rules.dbos.numbers import is_number, number_of, text_of

if TYPE_CHECKING:
    from migrate.index.model import Definition, Module
    from migrate.plan.edits import FileEdits
    from migrate.plan.fragments import Part
    from migrate.plan.job import Job
    from migrate.rules.dbos.facts import Facts, Marked

RULE: Final = Rule(
    code="RM211",
    title="A DBOS step becomes a marked function",
    family="dbos",
    level="manual",
    applicability="safe",
    what="""\
`@DBOS.step()` becomes `@step()`: one attempt, signature untouched, still a plain function outside workflows.
`retries_allowed=True` becomes a `Backoff`, with the defaults of DBOS spelled out:

    @DBOS.step(retries_allowed=True, interval_seconds=0.5)
    @step(retry_policy=Backoff(0.5, max_attempts=3))

`max_attempts`, `interval_seconds` and `backoff_rate` say nothing without `retries_allowed=True`, and are dropped.
The longest wait of DBOS, an hour, is written down where the numbers can reach it.""",
    why="""\
A plain function without a mark is retried for ever by the generator SDK. Three steps in four of real DBOS programs
make one attempt, and a payment must not be made twice because a default changed.""",
    action="Write the options out as literals in the decorator, or move the predicate's decision into the step.",
    minutes=10,
)

#: Defaults of ``@DBOS.step``.
_INTERVAL, _ATTEMPTS, _RATE, _WAIT_MAX = 1.0, 3, 2.0, 3600.0
#: A first parameter of one of these names is handed the context when the step runs.
_CONTEXT_NAMES: Final = frozenset({"ctx", "context", "_ctx", "_context", "c", "_"})
_KNOWN: Final = frozenset(
    {"name", "retries_allowed", "interval_seconds", "max_attempts", "backoff_rate", "preemptible", "timeout_seconds"}
)


@dataclass(frozen=True)
class StepOptions:
    """What a decorator or a ``StepOptions`` dictionary says.

    Attributes:
        said: expressions by DBOS's names.
        problem: why it cannot be carried over, or "".
        place: where the problem stands.
    """

    said: dict[str, ast.expr]
    problem: str = ""
    place: ast.AST | None = None

    def value(self, facts: Facts, module: Module, name: str, default: object) -> object:
        """Return the value of an option if it is plain to see, ``None`` if not."""
        if name not in self.said:
            return default
        found = facts.project.literal(module, self.said[name])
        return found.value if found is not None else None


def read_decorator(facts: Facts, module: Module, decorator: ast.expr) -> StepOptions:
    """Read ``@DBOS.step(...)``."""
    if not isinstance(decorator, ast.Call):
        return StepOptions({}, "the decorator is not called", decorator)
    if decorator.args:
        return StepOptions({}, "the decorator has positional arguments", decorator)
    said: dict[str, ast.expr] = {}
    for entry in decorator.keywords:
        if entry.arg is not None:
            said[entry.arg] = entry.value
            continue
        inner = _written_out(facts, module, entry.value)
        if inner is None:
            return StepOptions({}, f"options come from **{ast.unparse(entry.value)}, which is not written out", entry)
        said.update(inner)
    return check(facts, module, said, decorator)


def read_dictionary(facts: Facts, module: Module, node: ast.expr) -> StepOptions:
    """Read the options of ``DBOS.run_step``: a dictionary, ``StepOptions(...)`` or ``None``."""
    said = _written_out(facts, module, node)
    if said is None:
        return StepOptions({}, f"options come from {ast.unparse(node)}, which is not written out", node)
    return check(facts, module, said, node)


def _written_out(facts: Facts, module: Module, node: ast.expr) -> dict[str, ast.expr] | None:
    if isinstance(node, ast.Constant) and node.value is None:
        return {}
    found = facts.project.literal(module, node)
    if found is not None and isinstance(found.value, dict) and isinstance(found.node, ast.Dict):
        if found.module is not module and not all(map(is_number, found.node.values)):
            return None  # names in another file mean nothing here
        node = found.node
    if isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys):
        return {str(key.value): value for key, value in zip(node.keys, node.values, strict=True)}  # type: ignore[union-attr]
    if isinstance(node, ast.Call) and facts.project.external(module, node.func) == "dbos.StepOptions" and not node.args:
        facts.claim(node.func)
        if all(entry.arg is not None for entry in node.keywords):
            return {str(entry.arg): entry.value for entry in node.keywords}
    return None


def check(facts: Facts, module: Module, said: dict[str, ast.expr], place: ast.AST) -> StepOptions:
    """Say whether the options have a counterpart."""
    options = StepOptions(said)
    if "should_retry" in said:
        problem = "should_retry decides by a predicate, and a Backoff knows error types only"
        return StepOptions(said, problem, said["should_retry"])
    unknown = sorted(set(said) - _KNOWN)
    if unknown:
        return StepOptions(said, f"option {unknown[0]} is not known", said[unknown[0]])
    if options.value(facts, module, "retries_allowed", default=False) not in (True, False):
        return StepOptions(said, "retries_allowed is not plain to see", said["retries_allowed"])
    return StepOptions(said, place=place)


def is_retried(facts: Facts, module: Module, options: StepOptions) -> bool:
    """Tell whether a step makes more than one attempt."""
    return options.value(facts, module, "retries_allowed", default=False) is True


def survey(facts: Facts, mark: Marked) -> None:
    """Note what a step needs."""
    definition, at = mark.definition, facts.at_mark(mark)
    facts.claim(mark.decorator)
    options = read_decorator(facts, definition.module, mark.decorator)
    lookalike = context_lookalike(definition)
    if lookalike is not None:
        problem = f"its first parameter is called {lookalike.arg}, and the runtime would pass the context there"
        options = StepOptions({}, problem, lookalike)
    if options.problem:
        facts.stay(at, RULE, f"step {definition.name}: {options.problem}", node=options.place)
        return
    facts.later(at, lambda job: edit(job, facts, mark, options))
    if is_retried(facts, definition.module, options):
        rm551_last_error.tell(facts, at, definition.name)


def context_lookalike(definition: Definition) -> ast.arg | None:
    """Return the first parameter (after ``self``) if the runtime would take it for the context."""
    node = definition.node
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    plain = [*node.args.posonlyargs, *node.args.args]
    if plain and definition.parent is not None and isinstance(definition.parent.node, ast.ClassDef):
        plain = plain[1:]
    return plain[0] if plain and plain[0].arg in _CONTEXT_NAMES else None


def edit(job: Job, facts: Facts, mark: Marked, options: StepOptions) -> None:
    """Replace the decorator."""
    module = mark.definition.module
    file = job.file(module, mark.unit)
    parts: list[Part] = []
    name: Part | None = options.said.get("name") or facts.given_name(mark)
    if name is not None:
        parts.append(Named("name", name))
    if "timeout_seconds" in options.said:
        parts.append(Named("attempt_timeout", options.said["timeout_seconds"]))
    if is_retried(facts, module, options):
        parts.append(Named("retry_policy", backoff(facts, module, file, options)))
    if "preemptible" in options.said:
        message = f"step {mark.definition.name} was preemptible; async steps are always cancelled with their workflow"
        job.report(module, options.said["preemptible"], RULE.code, "review", message)
    file.replace(mark.decorator, call(file.name("resonate_core.step"), *parts), code=RULE.code)


def backoff(facts: Facts, module: Module, file: FileEdits, options: StepOptions) -> Part:
    """Return ``Backoff(...)`` for options with retries."""
    said = options.said
    initial = said.get("interval_seconds")
    parts: list[Part] = ["1" if initial is None else initial]
    rate = said.get("backoff_rate")
    if rate is not None and number_of(rate) != _RATE:
        parts.append(Named("factor", rate))
    if _reaches_limit(facts, module, options):
        parts.append(Named("max_delay", text_of(_WAIT_MAX)))
    parts.append(Named("max_attempts", said.get("max_attempts") or str(_ATTEMPTS)))
    return call(file.name("resonate_core.Backoff"), *parts)


def _reaches_limit(facts: Facts, module: Module, options: StepOptions) -> bool:
    """Tell whether some wait could be longer than DBOS's hour; numbers that are not plain to see may be anything."""
    interval = options.value(facts, module, "interval_seconds", _INTERVAL)
    rate = options.value(facts, module, "backoff_rate", _RATE)
    attempts = options.value(facts, module, "max_attempts", _ATTEMPTS)
    if not isinstance(interval, int | float) or not isinstance(rate, int | float) or not isinstance(attempts, int):
        return True
    if attempts > 1000:
        return True
    return attempts > 1 and max(interval, interval * rate ** (attempts - 2)) > _WAIT_MAX
