"""Retry policies: Temporal's ``RetryPolicy`` in the words of ``Backoff``.

What Temporal leaves unsaid is said: first wait 1 s, every wait twice as long, at most 100 times the first one, and no
end unless ``maximum_attempts`` is above zero. A longest wait that can never be reached is not said.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, Part, call, code
from migrate.rules.temporal.durations import literal_seconds, number_of, seconds_part, spell

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft, Emit

RETRY_POLICY: Final = "temporalio.common.RetryPolicy"
#: Fields of ``RetryPolicy`` in order of position.
FIELDS: Final = (
    "initial_interval",
    "backoff_coefficient",
    "maximum_interval",
    "maximum_attempts",
    "non_retryable_error_types",
)
#: Temporal's growth from one wait to the next, where the policy does not say; ``Backoff`` has the same.
_FACTOR: Final = 2
#: Temporal's longest wait, in multiples of the first one, where the policy does not say.
_INTERVAL_FACTOR: Final = 100


@dataclass(frozen=True)
class Policy:
    """A retry policy that is written out at one place.

    Attributes:
        fields: what it says, by Temporal's names.
        is_single: it allows one attempt only.
    """

    fields: dict[str, ast.expr]

    @property
    def is_single(self) -> bool:
        """Whether the policy says ``maximum_attempts=1``."""
        attempts = self.fields.get("maximum_attempts")
        return attempts is not None and number_of(attempts) == 1

    @property
    def names_errors(self) -> bool:
        """Whether it names errors that must not be retried."""
        return "non_retryable_error_types" in self.fields


def read_policy(node: ast.Call) -> Policy | None:
    """Read a call of ``RetryPolicy``; None if it says something that no literal shows (``**options``)."""
    if len(node.args) > len(FIELDS) or any(isinstance(arg, ast.Starred) for arg in node.args):
        return None
    fields = dict(zip(FIELDS, node.args, strict=False))
    for keyword in node.keywords:
        if keyword.arg not in FIELDS:
            return None
        fields[keyword.arg] = keyword.value
    return Policy(fields)


def default_backoff(backoff: str) -> Part:
    """Return the policy that Temporal uses where the program says none."""
    return f"{backoff}(1, max_delay={_INTERVAL_FACTOR})"


def backoff_arguments(policy: Policy, resolve: Callable[[ast.expr], str]) -> list[tuple[str, Part]]:
    """Return the arguments of ``Backoff`` for a policy; the first one goes without its name."""
    said = policy.fields
    initial = said.get("initial_interval")
    found: list[tuple[str, Part]] = [("initial", "1" if initial is None else seconds_part(initial, resolve))]
    factor = said.get("backoff_coefficient")
    if factor is not None and number_of(factor) != _FACTOR:
        found.append(("factor", factor))
    longest = _longest_wait(policy, resolve)
    if longest is not None:
        found.append(("max_delay", longest))
    attempts = said.get("maximum_attempts")
    if attempts is not None and number_of(attempts) != 0:  # zero is endless in Temporal, and so is saying nothing here
        found.append(("max_attempts", attempts if number_of(attempts) else code("{} or None", attempts)))
    errors = said.get("non_retryable_error_types")
    if errors is not None and not _is_none(errors):
        found.append(("non_retryable", errors))
    return found


def backoff_part(policy: Policy, backoff: str, resolve: Callable[[ast.expr], str]) -> Part:
    """Return ``Backoff(...)`` for a policy.

    Args:
        policy: what the program says.
        backoff: local name of ``resonate_core.Backoff``.
        resolve: gives the dotted name of an expression.
    """
    (_, initial), *rest = backoff_arguments(policy, resolve)
    return call(backoff, initial, *(Named(name, part) for name, part in rest))


def or_default(draft: Draft, emit: Emit, module: Module, node: ast.expr) -> Part:
    """Return a policy that may be None: that is Temporal's default there, and a single attempt here."""
    match node:
        case ast.Constant(value=None):
            return default_backoff(emit.core("Backoff"))
        case ast.IfExp(test=test, body=first, orelse=second) if _is_none(first) or _is_none(second):
            parts = [or_default(draft, emit, module, one) for one in (first, second)]
            return code("{} if {} else {}", parts[0], test, parts[1])
        case ast.Name() if _may_be_none(module, node):
            return code("{} or {}", node, default_backoff(emit.core("Backoff")))
    return node


def _may_be_none(module: Module, node: ast.Name) -> bool:
    """Tell whether a name is a parameter that says of itself that it may be None."""
    scope = module.scope_of.get(node, module.scope)
    while scope.parent is not None and (node.id not in scope.bindings or scope.kind == "class"):
        scope = scope.parent
    parameters = [one.node for one in scope.bindings.get(node.id, []) if one.kind == "parameter"]
    arguments = getattr(scope.node, "args", None)
    if not parameters or not isinstance(arguments, ast.arguments):
        return False
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults = dict(zip(reversed(plain), reversed(arguments.defaults), strict=False))
    defaults |= {one: value for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value}
    annotations = [ast.unparse(one.annotation) for one in parameters if isinstance(one, ast.arg) and one.annotation]
    says_none = any("None" in text or "Optional" in text for text in annotations)
    return says_none or any(_is_none(value) for one, value in defaults.items() if one in parameters)


def _longest_wait(policy: Policy, resolve: Callable[[ast.expr], str]) -> Part | None:
    said = policy.fields
    longest = said.get("maximum_interval")
    initial = said.get("initial_interval")
    first = 1.0 if initial is None else literal_seconds(initial, resolve)
    if longest is not None and not _is_none(longest):
        return seconds_part(longest, resolve)
    if first is not None:
        limit = first * _INTERVAL_FACTOR
        return spell(limit) if _reaches(policy, first, limit) else None
    return code("{} * {}", str(_INTERVAL_FACTOR), seconds_part(initial, resolve)) if initial is not None else None


def _reaches(policy: Policy, first: float, limit: float) -> bool:
    """Say whether some wait would be longer than ``limit``, as far as numbers in the source tell."""
    attempts, factor = policy.fields.get("maximum_attempts"), policy.fields.get("backoff_coefficient")
    count = None if attempts is None else number_of(attempts)
    growth = float(_FACTOR) if factor is None else number_of(factor)
    if not count or growth is None or count > 1000:
        return True
    waits = int(count) - 1
    return waits > 0 and first * growth ** (waits - 1) > limit


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
