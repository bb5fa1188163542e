"""RM122: time limits and retry policies of activities, at the mark of the step or at the call."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, Part, code
from migrate.rules.base import Rule
from migrate.rules.temporal.backoff import RETRY_POLICY, backoff_part, default_backoff, or_default, read_policy
from migrate.rules.temporal.durations import seconds_part
from migrate.rules.temporal.option_dictionaries import (
    ACTION,
    CALL_OPTIONS,
    DISPLAY_ONLY,
    MARK_OPTIONS,
    RENAMED,
    survey_dictionaries,
)
from migrate.rules.temporal.option_sources import Options, Sources
from migrate.rules.temporal.spelling import text_there, value_key

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Draft, Emit
    from migrate.rules.temporal.facts import Activity, ActivityCall, Facts

RULE: Final = Rule(
    code="RM122",
    title="Options of an activity call",
    family="temporal",
    level="review",
    applicability="safe",
    what="""Options on which all calls of an activity agree move to the mark of the step; the others stay at the call.
`start_to_close_timeout` (one attempt) becomes `attempt_timeout`, `schedule_to_close_timeout` (all attempts together)
becomes the call's `timeout`, `RetryPolicy` becomes `Backoff`. Where the program says nothing, Temporal retries without
end, first after 1 s, then twice as long, at most 100 s; that is written out: `Backoff(1, max_delay=100)`.
`maximum_attempts` counts all attempts in both words; 0 is endless, 1 is no retry policy at all.""",
    why="The runtime has no hidden retries: a step without a retry policy is tried once.",
    action=ACTION,
    minutes=10,
)

_DEFAULT: Final = "default"
_SINGLE: Final = "single"


@dataclass
class Mark:
    """What the mark of a step says.

    Attributes:
        values: text by option name.
        keys: what makes a call's value equal to it; ``retry_policy`` always has one.
    """

    values: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    is_wrapped: bool = False


def said(call_: ActivityCall, option: str) -> ast.expr | None:
    """Return what a call says about an option, by our name; None counts as nothing said."""
    node = call_.options.get((MARK_OPTIONS | CALL_OPTIONS)[option])
    return None if isinstance(node, ast.Constant) and node.value is None else node


def key_of(draft: Draft, call_: ActivityCall, option: str) -> str | None:
    """Return what makes the values of two calls equal; None if only the program knows."""
    node = said(call_, option)
    if node is None:
        return None if (MARK_OPTIONS | CALL_OPTIONS)[option] in _splat(call_).always else _DEFAULT
    if (
        option == "retry_policy"
        and isinstance(node, ast.Call)
        and draft.external(call_.module, node.func) == RETRY_POLICY
    ):
        policy = read_policy(node)
        if policy is not None and policy.is_single:
            return _SINGLE
        if policy is not None and not policy.fields:
            return _DEFAULT
    return value_key(draft, call_.module, node)


def _splat(call_: ActivityCall) -> Options:
    """Return what the dictionaries of a call hold; what is not plain to see blocks the call, so anything will do."""
    found = Options()
    for one in call_.unpacked:
        found.sometimes |= one.names - one.always - found.always
        found.always |= one.always
    found.sometimes -= found.always
    return found


def choose_mark(draft: Draft, activity: Activity) -> Mark:
    """Decide what moves to the mark of a step."""
    mark = Mark()
    for option in MARK_OPTIONS:
        keys = [key_of(draft, one, option) for one in activity.calls]
        if option != "retry_policy" and (_DEFAULT in keys or not keys):
            continue  # a call cannot take back what the mark says
        if option == "retry_policy" and any(option in _splat(one).sometimes for one in activity.calls):
            keys = [_DEFAULT]  # where the dictionary says nothing, the mark must say what Temporal does
        counted = Counter(key for key in keys if key is not None)
        for key, _count in counted.most_common():
            text = _text(draft, activity, option, keys.index(key), key)
            if text is not None:
                mark.keys[option] = key
                mark.values[option] = text
                break
    if "retry_policy" not in mark.keys:
        every = [key_of(draft, one, "retry_policy") for one in activity.calls]
        if not every or _DEFAULT in every:
            mark.keys["retry_policy"] = _DEFAULT
            mark.values["retry_policy"] = str(default_backoff("Backoff"))
    mark.is_wrapped = bool(activity.calls) and all(one.is_wrapped for one in activity.calls)
    return mark


def _text(draft: Draft, activity: Activity, option: str, index: int, key: str) -> str | None:
    if key == _DEFAULT:
        return str(default_backoff("Backoff"))
    if key == _SINGLE:
        return ""
    one = activity.calls[index]
    node = said(one, option)
    assert node is not None
    return text_there(draft, one.module, node, activity.module, activity.definition.node)


def mark_arguments(emit: Emit, mark: Mark) -> list[Part]:
    """Return the arguments of ``@step(...)`` besides the name."""
    found: list[Part] = []
    for option in MARK_OPTIONS:
        text = mark.values.get(option)
        if text:
            if text.startswith("Backoff("):
                text = emit.core("Backoff") + text[len("Backoff") :]
            found.append(Named(option, text))
    if mark.is_wrapped:
        found.append(Named("errors", '"wrapped"'))
    return found


def call_options(draft: Draft, emit: Emit, one: ActivityCall, mark: Mark | None) -> list[Part]:
    """Return the arguments of ``.options(...)`` for one call; ``mark`` is None for a step the project does not have."""
    found: list[Part] = []
    resolve = draft.resolver(one.module)
    for option in CALL_OPTIONS:
        node = one.limit if option == "timeout" and one.limit is not None else said(one, option)
        if node is not None:
            found.append(Named(option, seconds_part(node, resolve)))
    for option in MARK_OPTIONS:
        key = key_of(draft, one, option)
        if mark is not None and key is not None and mark.keys.get(option) == key:
            continue
        node = said(one, option)
        if option == "retry_policy":
            part = _retry_part(draft, emit, one, node, key)
            if part is not None:
                found.append(Named(option, part))
        elif node is not None:
            found.append(Named(option, seconds_part(node, resolve)))
    if one.is_wrapped and not (mark is not None and mark.is_wrapped):
        found.append(Named("errors", '"wrapped"'))
    found.extend(code("**{}", splat) for splat in one.splats)
    if mark is None and "retry_policy" in _splat(one).sometimes:
        policy = default_backoff(emit.core("Backoff"))
        found = [one for one in found if not (isinstance(one, Named) and one.name == "retry_policy")]
        found[-1] = code('**{{"retry_policy": {}, **{}}}', policy, *one.splats[-1:])
    return found


def _retry_part(draft: Draft, emit: Emit, one: ActivityCall, node: ast.expr | None, key: str | None) -> Part | None:
    if key == _SINGLE:
        return f"{emit.core('Never')}()"
    if key == _DEFAULT:
        return default_backoff(emit.core("Backoff"))
    if node is None:
        return None  # a dictionary says it
    if isinstance(node, ast.Call) and draft.external(one.module, node.func) == RETRY_POLICY:
        policy = read_policy(node)
        assert policy is not None, "a policy that cannot be read blocks its unit"
        return backoff_part(policy, emit.core("Backoff"), draft.resolver(one.module))
    return or_default(draft, emit, one.module, node)


def survey(draft: Draft, facts: Facts) -> dict[ast.Call, Mark]:
    """Claim and check the options of every activity call; return the mark that belongs to each call."""
    sources = Sources(draft)
    for one in facts.calls.values():
        one.unpacked = [found for splat in one.splats if (found := sources.read(one.module, splat)) is not None]
    marks = {activity: choose_mark(draft, activity) for activity in facts.activities.values()}
    for one in facts.calls.values():
        _check(draft, one)
    survey_dictionaries(draft, facts, sources)
    return {one.node: marks[one.activity] for one in facts.calls.values() if one.activity is not None}


def _check(draft: Draft, one: ActivityCall) -> None:
    module = one.module
    for name, node in one.options.items():
        if name in RENAMED:
            _check_value(draft, one, name, node)
        elif name in DISPLAY_ONLY:
            draft.claim(node)
            draft.note(module, node, "RM512", "note", f"{name}= has no counterpart and is left out")
        elif name == "cancellation_type":
            _check_cancellation(draft, one, node)
        elif name == "priority":
            draft.claim(node)
            draft.note(
                module,
                node,
                "RM512",
                "review",
                "priority= of an activity has no counterpart and is left out",
                "Send what is urgent to workers of a group of their own if the order matters.",
            )
        elif name == "activity_id":
            draft.note(
                module,
                node,
                "RM512",
                "review",
                "activity_id= is left out; a step's id follows from its place",
                "Say .options(id=...) if something outside finishes this step by its id.",
            )
        elif name not in ("task_queue", "result_type"):
            draft.block(
                module,
                node,
                RULE.code,
                f"option {name}= of an activity call is unknown",
                "Remove the option, or convert this call by hand.",
            )


def _check_value(draft: Draft, one: ActivityCall, name: str, node: ast.expr) -> None:
    if name == "retry_policy" and isinstance(node, ast.Call) and draft.external(one.module, node.func) == RETRY_POLICY:
        policy = read_policy(node)
        if policy is None:
            draft.block(
                one.module,
                node,
                RULE.code,
                "the retry policy is put together at run time",
                "Spell the policy out as keyword arguments of RetryPolicy.",
            )
            return
        draft.claim(node)


def _check_cancellation(draft: Draft, one: ActivityCall, node: ast.expr) -> None:
    name = draft.external(one.module, node).rpartition(".")[2]
    draft.claim(node)
    if name != "TRY_CANCEL":
        draft.note(
            one.module,
            node,
            "RM503",
            "review",
            f"cancellation_type={name or 'a variable'} is left out",
            "A cancelled step is asked to stop and not waited for; wait for it with ctx.shielded() if you must.",
        )
