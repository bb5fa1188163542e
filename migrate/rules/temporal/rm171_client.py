"""RM171: clients start and find executions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, Part, call, code
from migrate.rules.base import Rule
from migrate.rules.temporal.backoff import RETRY_POLICY, read_policy
from migrate.rules.temporal.calls import argument_parts, read_arguments
from migrate.rules.temporal.durations import seconds_part
from migrate.rules.temporal.environment import drop_environment_settings
from migrate.rules.temporal.fresh_ids import is_fresh
from migrate.rules.temporal.queues import target_part
from migrate.rules.temporal.workflow_reference import read_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate.findings import Level
    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft, Emit
    from migrate.rules.temporal.facts import Facts

RULE: Final = Rule(
    code="RM171",
    title="Client",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`await Client.connect(...)` becomes `Resonate()`; RESONATE_URL says where everything lives. Starting a
workflow becomes `await client.options(target=..., if_exists="restart_closed").aio.begin_rpc(id, workflow, ...)`:
Temporal runs a closed id again unless a reuse policy says otherwise. An id that contains a fresh uuid needs no
`if_exists`. A start with `start_signal=` becomes `await client.aio.signal_with_start(id, "name", [...], workflow)`, one
step as well; `start_delay=` becomes `delay=`; a retry policy of one attempt goes.""",
    why="A client needs no connection before its first call, and the id of an execution is the id of its promise.",
    action="Name the workflow, its id and its task queue as arguments of the call.",
    minutes=15,
)
CONNECT: Final = "temporalio.client.Client.connect"
CLIENT: Final = "temporalio.client.Client"
STARTS: Final = {f"{CLIENT}.start_workflow": "begin_rpc", f"{CLIENT}.execute_workflow": "rpc"}
GETS: Final = {f"{CLIENT}.get_workflow_handle": 0, f"{CLIENT}.get_workflow_handle_for": 1}
#: Options of ``connect`` without any effect on what a program does, with the level at which they are reported.
_CONNECT_OPTIONS: Final[Mapping[str, tuple[Level, str, str]]] = {
    "namespace": ("review", "namespaces have no counterpart", "Use one store per namespace: another RESONATE_URL."),
    "tls": ("review", "TLS settings are left out", "Say https:// in RESONATE_URL if a server is used."),
    "api_key": ("review", "the API key is left out", "The token of a server goes to Resonate(token=...)."),
    "rpc_metadata": ("review", "gRPC metadata is left out", ""),
    "runtime": (
        "review",
        "runtime settings (metrics, logging) are left out",
        "Set up logging and metrics of your own.",
    ),
    "identity": ("note", "identity= is left out", ""),
    "lazy": ("note", "lazy= is left out: every client is lazy", ""),
    "retry_config": ("note", "retry_config= is left out", ""),
    "keep_alive_config": ("note", "keep_alive_config= is left out", ""),
    "connect_timeout": ("note", "connect_timeout= is left out", ""),
    "http_connect_proxy_config": ("review", "proxy settings are left out", ""),
}
_PYDANTIC: Final = frozenset(
    {"temporalio.contrib.pydantic.pydantic_data_converter", "temporalio.converter.default",
     "temporalio.converter.DataConverter.default"}
)  # fmt: skip
REUSE: Final = {
    "ALLOW_DUPLICATE": "restart_closed",
    "ALLOW_DUPLICATE_FAILED_ONLY": "fail",
    "REJECT_DUPLICATE": "fail",
    "TERMINATE_IF_RUNNING": "restart",
}
_CONFLICT: Final = {"FAIL": "", "UNSPECIFIED": "", "USE_EXISTING": "join", "TERMINATE_EXISTING": "restart"}
_START_NOTES: Final[Mapping[str, Level]] = {
    "memo": "review",
    "search_attributes": "review",
    "task_timeout": "note",
    "static_summary": "note",
    "static_details": "note",
    "rpc_metadata": "note",
    "rpc_timeout": "note",
    "request_eager_start": "note",
    "priority": "review",
    "versioning_override": "review",
}


def convert_connect(draft: Draft, module: Module, node: ast.Call) -> None:
    """Convert ``await Client.connect(...)``."""
    parent = module.parents.get(node)
    if not isinstance(parent, ast.Await):
        draft.block(module, node, RULE.code, "Client.connect is not awaited at once", "Await it where it is called.")
        return
    for keyword in node.keywords:
        if keyword.arg is None and drop_environment_settings(draft, module, keyword.value):
            continue
        _connect_option(draft, module, keyword)
    draft.claim(node.func)
    draft.note(
        module,
        node,
        RULE.code,
        "note",
        "the address of the Temporal server is left out; RESONATE_URL says where "
        "everything lives, a file in the working directory if it is not set",
    )
    draft.act(module, node, lambda emit: emit.file.replace(parent, call(emit.core("Resonate")), code=RULE.code))


def _connect_option(draft: Draft, module: Module, keyword: ast.keyword) -> None:
    name, node = keyword.arg, keyword.value
    if name == "target_host":
        return
    if name == "data_converter":
        if draft.external(module, node) in _PYDANTIC:
            draft.claim(node)
            draft.note(module, node, "RM516", "note", "values are decoded by annotation, pydantic models included")
        else:
            draft.block(
                module,
                node,
                RULE.code,
                "a data converter of its own may encrypt or change what is stored",
                "Move encryption to Resonate(encryptor=...), then remove the converter.",
            )
    elif name is not None and name in _CONNECT_OPTIONS:
        level, message, action = _CONNECT_OPTIONS[name]
        draft.claim(node)
        draft.note(module, node, RULE.code, level, message, action)
    else:
        what = f"{name}=" if name else "**"
        draft.block(
            module,
            node,
            RULE.code,
            f"Client.connect({what}...) has no counterpart",
            "Remove it, or keep this program on the original SDK.",
        )


def convert_start(draft: Draft, facts: Facts, module: Module, node: ast.Call, *, verb: str) -> None:
    """Convert ``client.start_workflow`` and ``client.execute_workflow``."""
    said = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg is not None}
    positional = list(node.args)
    target = positional.pop(0) if positional else said.pop("workflow", None)
    arguments, args_node = read_arguments(positional, said)
    identity = said.pop("id", None)
    if target is None or identity is None or any(keyword.arg is None for keyword in node.keywords):
        draft.block(module, node, RULE.code, "the arguments of this start are unpacked at run time", RULE.action)
        return
    reference = read_reference(draft, facts, module, target, by=node)
    if reference is None:
        draft.note(
            module,
            target,
            RULE.code,
            "review",
            "which workflow starts is decided at run time",
            "Make sure that the variable holds a durable function, a durable class or a registered name.",
        )
        if isinstance(target, ast.Attribute) and target.attr in {one.name for one in facts.entries}:
            target = target.value  # the run method of a class in a variable: the class itself is started
    exists = _if_exists(draft, module, node, said)
    opening = _opening(draft, module, node, said, exists=exists, verb=verb)
    if exists is None or opening is None or not _check_start(draft, module, node, said):
        return
    is_new = exists == "restart_closed" and is_fresh(draft, module, identity)
    options = _start_options(draft, module, said, if_exists="" if opening or is_new else exists)
    given = argument_parts(arguments, args_node)
    assert isinstance(node.func, ast.Attribute)
    receiver = node.func.value

    def make(emit: Emit) -> Part:
        start: Part = call(code("{}.options", receiver), *options) if options else receiver
        first = reference.part(emit) if reference is not None else target
        assert first is not None
        if opening:
            return call(code("{}.aio.signal_with_start", start), identity, *opening, first, *given)
        return call(code("{}.aio." + verb, start), identity, first, *given)

    draft.act(module, node, lambda emit: emit.file.replace(node, make(emit), code=RULE.code))


def _start_options(draft: Draft, module: Module, said: dict[str, ast.expr], *, if_exists: str) -> list[Part]:
    resolve = draft.resolver(module)
    options: list[Part] = []
    if "task_queue" in said:
        options.append(Named("target", target_part(said["task_queue"])))
    if if_exists:
        options.append(Named("if_exists", f'"{if_exists}"'))
    limit = said.get("execution_timeout", said.get("run_timeout"))
    if limit is not None:
        options.append(Named("timeout", seconds_part(limit, resolve)))
    if "start_delay" in said:
        options.append(Named("delay", seconds_part(said["start_delay"], resolve)))
    return options


def _opening(
    draft: Draft, module: Module, node: ast.Call, said: dict[str, ast.expr], *, exists: str | None, verb: str
) -> list[Part] | None:
    """Return name and arguments of the signal that a start begins with, [] if it has none, None if it must stay."""
    name, given = said.pop("start_signal", None), said.pop("start_signal_args", None)
    if name is None:
        return []
    problem = ""
    if verb != "begin_rpc":
        problem = "execute_workflow with start_signal= waits for the result of a start that may be another one's"
    elif exists not in ("restart_closed", "join"):
        problem = "start_signal= goes with a policy that would refuse what runs"
    if problem:
        draft.block(module, node, RULE.code, problem, "Start the workflow, then send the signal to its handle.")
        return None
    draft.note(module, node, RULE.code, "note", "signal and start are one step here, too")
    return [name, "[]" if given is None else given]


def _if_exists(draft: Draft, module: Module, node: ast.Call, said: dict[str, ast.expr]) -> str | None:
    """Return what starting an id again does; None if only the program knows."""
    answer = "restart_closed"
    for option, words in (("id_reuse_policy", REUSE), ("id_conflict_policy", _CONFLICT)):
        value = said.pop(option, None)
        if value is None:
            continue
        name = draft.external(module, value).rpartition(".")[2]
        draft.claim(value)
        if name not in words:
            draft.block(
                module, node, RULE.code, f"{option}= is decided at run time", "Spell the policy out in the call."
            )
            return None
        answer = words[name] or answer
        if name in ("ALLOW_DUPLICATE_FAILED_ONLY", "USE_EXISTING"):
            draft.note(
                module, value, RULE.code, "review", _POLICY_NOTES[name], "Look whether that is what callers expect."
            )
    return answer


_POLICY_NOTES: Final = {
    "ALLOW_DUPLICATE_FAILED_ONLY": 'becomes if_exists="fail": a failed execution is not run again under its id either',
    "USE_EXISTING": 'becomes if_exists="join": a closed execution gives its result instead of running again',
}


def _check_start(draft: Draft, module: Module, node: ast.Call, said: dict[str, ast.expr]) -> bool:
    for name, value in said.items():
        if name in ("task_queue", "execution_timeout", "run_timeout", "start_delay"):
            continue
        if name == "retry_policy" and _is_single(draft, module, value):
            draft.claim(value.func)  # type: ignore[attr-defined]
            continue
        if name == "result_type":
            draft.claim(value)
            continue
        if name not in _START_NOTES:
            draft.block(
                module,
                value,
                RULE.code,
                f"option {name}= of a start has no counterpart",
                "Remove it, or convert this call by hand.",
            )
            return False
        draft.claim(value)
        draft.note(module, node, "RM512", _START_NOTES[name], f"{name}= of a start is left out")
    return True


def _is_single(draft: Draft, module: Module, value: ast.expr) -> bool:
    """Tell whether a policy allows one run only, which is what an execution has."""
    if not isinstance(value, ast.Call) or draft.external(module, value.func) != RETRY_POLICY:
        return False
    policy = read_policy(value)
    return policy is not None and policy.is_single


def convert_get(draft: Draft, facts: Facts, module: Module, node: ast.Call, *, index: int) -> None:
    """Convert ``client.get_workflow_handle`` and ``get_workflow_handle_for``."""
    if len(node.args) != index + 1 or any(keyword.arg != "result_type" for keyword in node.keywords):
        draft.block(
            module,
            node,
            RULE.code,
            "a handle of one run of an id has no counterpart",
            "Ask for the handle by the workflow id alone.",
        )
        return
    if index:
        reference = read_reference(draft, facts, module, node.args[0], by=node)
        if reference is None:
            draft.block(module, node, RULE.code, "which workflow is meant is decided at run time", RULE.action)
            return
    assert isinstance(node.func, ast.Attribute)
    receiver, identity = node.func.value, node.args[index]
    function = module.function_around(node)
    is_async = function is not None and function.is_async and not _in_lambda(module, node)
    template = "await {}.aio.get" if is_async else "{}.get"
    draft.note(module, node, RULE.code, "note", "the execution must exist when its handle is asked for")

    def make(_emit: Emit) -> Part:
        return call(code(template.removeprefix("await "), receiver), identity)

    draft.act(
        module,
        node,
        lambda emit: emit.file.replace(node, code("await {}", make(emit)) if is_async else make(emit), code=RULE.code),
    )


def _in_lambda(module: Module, node: ast.AST) -> bool:
    for parent in module.ancestors(node):
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return False
        if isinstance(parent, (ast.Lambda, ast.GeneratorExp)):
            return True
    return False
