"""RM170: workers."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Body, Named, Part, block, call, code, indented
from migrate.rules.base import Rule
from migrate.rules.temporal.trees import free_name, statement_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate.findings import Level
    from migrate.index.model import Module
    from migrate.rules.temporal.draft import Draft, Emit
    from migrate.rules.temporal.facts import Facts

RULE: Final = Rule(
    code="RM170",
    title="Worker",
    family="temporal",
    level="manual",
    applicability="safe",
    what="""`Worker(client, task_queue="orders", workflows=[...], activities=[...])` becomes
`Resonate(group="orders")` and `worker.register(...)`; `await worker.run()` becomes `await worker.aio.serve()`;
`async with Worker(...)` becomes `async with worker:` below them.""",
    why="A worker is a member of a group; what it registers is what it runs.",
    action="Make the worker in a statement of its own, with its workflows and activities in lists.",
    minutes=15,
)
WORKER: Final = "temporalio.worker.Worker"
METHODS: Final = {"run": "serve", "shutdown": "stop"}
#: Options of a worker that change nothing that a program sees here.
_DROPPED: Final = frozenset(
    (
        *("debug_mode", "identity", "workflow_runner", "unsandboxed_workflow_runner", "workflow_task_executor"),
        *("disable_eager_activity_execution", "disable_safe_workflow_eviction", "shared_state_manager"),
        *("max_cached_workflows", "max_concurrent_workflow_tasks", "max_concurrent_workflow_task_polls"),
        *("max_concurrent_activity_task_polls", "max_eager_activity_reservations_per_workflow_task"),
        *("max_heartbeat_throttle_interval", "default_heartbeat_throttle_interval", "no_remote_activities"),
        *("sticky_queue_schedule_to_start_timeout", "nonsticky_to_sticky_poll_ratio"),
        *("workflow_task_poller_behavior", "activity_task_poller_behavior"),
    )
)
_LIMIT_ACTION: Final = "If the limit protects something, keep it in the step itself, or run fewer workers."
_VERSION_ACTION: Final = "Give a changed workflow another version: @durable(version=2) beside the old one."
#: Options that are left out and reported: code, level, what to know, what to do.
_NOTED: Final[Mapping[str, tuple[str, Level, str, str]]] = {
    **dict.fromkeys(
        (
            "max_concurrent_activities",
            "max_concurrent_local_activities",
            "max_activities_per_second",
            "max_task_queue_activities_per_second",
            "tuner",
        ),
        ("RM515", "review", "the worker runs as much at once as its pool allows", _LIMIT_ACTION),
    ),
    **dict.fromkeys(
        ("build_id", "use_worker_versioning", "deployment_config"),
        ("RM506", "review", "executions stay on the version that they started with", _VERSION_ACTION),
    ),
    "workflow_failure_exception_types": ("RM506", "note", "every error that leaves a workflow ends it", ""),
    "graceful_shutdown_timeout": ("RM515", "note", "a stopping worker lets running steps end within some seconds", ""),
}
_THREADS: Final = "concurrent.futures.ThreadPoolExecutor"


def convert(draft: Draft, facts: Facts, module: Module, node: ast.Call) -> None:
    """Convert one ``Worker(...)``."""
    said = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg is not None}
    queue = said.get("task_queue")
    if queue is None or len(node.args) > 1 or len(said) != len(node.keywords):
        draft.block(module, node, RULE.code, "the arguments of this worker are unpacked at run time", RULE.action)
        return
    if not _check_options(draft, module, said):
        return
    registered = [
        *_registered(draft, facts, module, node, said.get("workflows")),
        *_registered(draft, facts, module, node, said.get("activities")),
    ]
    draft.claim(node.func)
    _place(draft, module, node, registered)


def _check_options(draft: Draft, module: Module, said: dict[str, ast.expr]) -> bool:
    for name, value in said.items():
        if name in ("client", "task_queue", "workflows", "activities"):
            continue
        if name in _NOTED:
            code_, level, message, action = _NOTED[name]
            draft.claim(value)
            draft.note(module, value, code_, level, f"{name}= is left out: {message}", action)
        elif name == "activity_executor":
            _check_executor(draft, module, value)
        elif name in _DROPPED:
            draft.claim(value)
        else:
            draft.block(
                module,
                value,
                RULE.code,
                f"Worker({name}=...) has no counterpart",
                "Remove it, or keep this program on the original SDK.",
            )
            return False
    return True


def _check_executor(draft: Draft, module: Module, value: ast.expr) -> None:
    """Plain steps run in the threads of the runtime; processes are another matter."""
    draft.claim(value)
    found = draft.project.resolve(module, value)
    is_threads = found is not None and found.name == _THREADS
    message = "activity_executor= is left out: plain steps run in threads of the runtime"
    action = "" if is_threads else "Start processes inside the step if it needs them."
    draft.note(module, value, "RM515", "note" if is_threads else "review", message, action)


def _registered(draft: Draft, facts: Facts, module: Module, node: ast.Call, listed: ast.expr | None) -> list[Part]:
    """Return the arguments of ``register`` for one list, and link what it names."""
    if listed is None:
        return []
    if isinstance(listed, ast.BinOp) and isinstance(listed.op, ast.Add):
        return [
            *_registered(draft, facts, module, node, listed.left),
            *_registered(draft, facts, module, node, listed.right),
        ]
    if not isinstance(listed, (ast.List, ast.Tuple)):
        return [code("*{}", listed)]
    found: list[Part] = []
    for one in listed.elts:
        meaning = draft.project.resolve(module, one)
        definition = meaning.definition if meaning is not None and meaning.kind == "definition" else None
        if definition is not None:
            facts.followed.add(one)
            thing = facts.workflows.get(definition) or facts.activities.get(definition)
            if thing is not None:
                draft.link(draft.unit(module, node), thing.unit)
        found.append(one)
    return found


def _place(draft: Draft, module: Module, node: ast.Call, registered: list[Part]) -> None:
    """Leave the edits that fit the place where the worker is made."""
    parent, statement = module.parents.get(node), statement_of(module, node)
    if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is node:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        if isinstance(target, (ast.Name, ast.Attribute)):
            _assigned(draft, module, node, target, registered)
            return
    if isinstance(parent, ast.withitem) and isinstance(statement, ast.AsyncWith):
        _with(draft, module, statement, parent, registered)
        return
    if isinstance(statement, ast.Return) and statement.value is node:
        _before(draft, module, node, statement, registered)
        return
    if _is_run_at_once(module, node, statement):
        _run_at_once(draft, module, node, statement, registered)
        return
    draft.block(module, node, RULE.code, "the worker is made inside a larger expression", RULE.action)


def _queue_of(node: ast.Call) -> ast.expr:
    return next(keyword.value for keyword in node.keywords if keyword.arg == "task_queue")


def _made(emit: Emit, node: ast.Call) -> Part:
    return call(emit.core("Resonate"), Named("group", _queue_of(node)))


def _assigned(draft: Draft, module: Module, node: ast.Call, target: ast.expr, registered: list[Part]) -> None:
    statement = statement_of(module, node)
    name = ast.unparse(target)

    def edit(emit: Emit) -> None:
        emit.file.replace(node, _made(emit, node), code=RULE.code)
        if registered:
            emit.file.insert_after(statement, call(f"{name}.register", *registered), code=RULE.code)

    draft.act(module, node, edit)


def _with(draft: Draft, module: Module, statement: ast.AsyncWith, item: ast.withitem, registered: list[Part]) -> None:
    node = item.context_expr
    assert isinstance(node, ast.Call)
    function = module.function_around(node)
    named = item.optional_vars
    if function is None or (named is not None and (len(statement.items) > 1 or not isinstance(named, ast.Name))):
        draft.block(module, node, RULE.code, "the worker shares its with statement", "Give it a statement of its own.")
        return
    place = statement.items.index(item)
    names = ("worker", "resonate_worker") if place == 0 else (f"worker{place + 1}", f"resonate_worker{place + 1}")
    name = named.id if isinstance(named, ast.Name) else free_name(function.node, *names)

    def edit(emit: Emit) -> None:
        lines: list[Part] = [code("{} = {}", name, _made(emit, node))]
        if registered:
            lines.append(call(f"{name}.register", *registered))
        if named is not None:
            new = block(*lines, f"async with {name}:", indented(Body(statement)))
            emit.file.replace(statement, new, code=RULE.code)
            return
        emit.file.insert_before(statement, block(*lines), code=RULE.code)
        emit.file.replace(node, name, code=RULE.code)

    draft.act(module, node, edit)


def _before(draft: Draft, module: Module, node: ast.Call, statement: ast.stmt, registered: list[Part]) -> None:
    function = module.function_around(node)
    assert function is not None, "a return stands in a function"
    name = free_name(function.node, "worker", "resonate_worker")

    def edit(emit: Emit) -> None:
        lines: list[Part] = [code("{} = {}", name, _made(emit, node))]
        if registered:
            lines.append(call(f"{name}.register", *registered))
        emit.file.replace(statement, block(*lines, f"return {name}"), code=RULE.code)

    draft.act(module, node, edit)


def _is_run_at_once(module: Module, node: ast.Call, statement: ast.stmt) -> bool:
    """Recognise ``await Worker(...).run()`` as a statement."""
    attribute = module.parents.get(node)
    run = module.parents.get(attribute) if isinstance(attribute, ast.Attribute) and attribute.attr == "run" else None
    awaited = module.parents.get(run) if isinstance(run, ast.Call) else None
    return isinstance(awaited, ast.Await) and isinstance(statement, ast.Expr) and statement.value is awaited


def _run_at_once(draft: Draft, module: Module, node: ast.Call, statement: ast.stmt, registered: list[Part]) -> None:
    function = module.function_around(node)
    assert function is not None, "await stands in a function"
    name = free_name(function.node, "worker", "resonate_worker")
    draft.claim(module.parents.get(node))

    def edit(emit: Emit) -> None:
        lines: list[Part] = [code("{} = {}", name, _made(emit, node))]
        if registered:
            lines.append(call(f"{name}.register", *registered))
        emit.file.replace(statement, block(*lines, f"await {name}.aio.serve()"), code=RULE.code)

    draft.act(module, node, edit)


def convert_method(draft: Draft, module: Module, node: ast.Call, name: str) -> None:
    """Convert ``worker.run()`` and ``worker.shutdown()``."""
    last = name.rpartition(".")[2]
    assert isinstance(node.func, ast.Attribute)
    receiver = node.func.value
    if isinstance(receiver, ast.Call):
        return  # ``Worker(...).run()`` is converted where the worker is made
    if last not in METHODS:
        draft.block(module, node, RULE.code, f"worker.{last}() has no counterpart", "Use run() and shutdown().")
        return
    template = "{}.aio." + METHODS[last]
    draft.act(module, node, lambda emit: emit.file.replace(node.func, code(template, receiver), code=RULE.code))
