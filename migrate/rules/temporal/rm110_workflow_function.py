"""RM110: a workflow class without state or handlers becomes a function."""

from __future__ import annotations

import ast
import builtins
import keyword
from typing import TYPE_CHECKING, Final

from migrate.plan.fragments import Named, Part, Whole, call, code
from migrate.plan.naming import names_in_use
from migrate.rules.base import Rule
from migrate.rules.temporal.facts import is_docstring, own_statements, snake_case

if TYPE_CHECKING:
    from migrate.rules.temporal.draft import Emit
    from migrate.rules.temporal.facts import Workflow
    from migrate.rules.temporal.place import Work

RULE: Final = Rule(
    code="RM110",
    title="Workflow class that becomes a function",
    family="temporal",
    level="note",
    applicability="safe",
    what="""A workflow class that has nothing but its run method becomes a function in snake case. The registered name
stays: `@durable(name="GreetingWorkflow")`. Imports, exports, workers, clients and tests that name the class follow.""",
    why="A durable function needs no class around it.",
    action="Nothing; read the diff.",
)
_SUFFIX: Final = "_workflow"
#: Names that mean something to every reader already.
_TAKEN: Final = frozenset((*dir(builtins), *keyword.kwlist, *keyword.softkwlist))


def choose_name(work: Work, workflow: Workflow) -> str:
    """Return the name of the function that a class becomes, or "" if it must stay a class."""
    if not _has_only_run(workflow) or _asks_for_itself(work, workflow) or not _mentions_are_followed(work, workflow):
        return ""
    plain = snake_case(workflow.definition.name)
    for name in (plain, plain + _SUFFIX):
        if name not in _TAKEN and _is_free(work, workflow, name):
            return name
    return ""


def _has_only_run(workflow: Workflow) -> bool:
    node = workflow.definition.node
    assert isinstance(node, ast.ClassDef)
    if node.bases or node.keywords or len(node.decorator_list) != 1 or workflow.definition.parent is not None:
        return False
    entry = workflow.entry.node
    assert isinstance(entry, (ast.FunctionDef, ast.AsyncFunctionDef))
    if own_statements(workflow.definition) != [entry] or len(entry.decorator_list) != 1:
        return False
    plain = [*entry.args.posonlyargs, *entry.args.args]
    if not plain:
        return False
    itself = plain[0].arg
    if any(isinstance(one, ast.Name) and one.id == itself for one in ast.walk(entry)):
        return False
    return not (_docstring(node) and _docstring(entry) and merged_docstring(workflow) is None)


def _asks_for_itself(work: Work, workflow: Workflow) -> bool:
    """Tell whether the run method asks for the object that it belongs to."""
    calls = (one for one in ast.walk(workflow.entry.node) if isinstance(one, ast.Call))
    return any(work.draft.external(workflow.module, one.func) == "temporalio.workflow.instance" for one in calls)


def _mentions_are_followed(work: Work, workflow: Workflow) -> bool:
    project, followed = work.draft.project, work.facts.followed
    for reference in project.references(workflow.definition):
        if reference.kind == "annotation" or (reference.kind == "name" and reference.node not in followed):
            return False
    return all(getattr(reference.node, "value", None) in followed for reference in project.references(workflow.entry))


def _is_free(work: Work, workflow: Workflow, name: str) -> bool:
    modules = {workflow.module.path: workflow.module}
    for reference in work.draft.project.references(workflow.definition):
        node = reference.node
        if reference.kind == "import" and getattr(node, "asname", None) is None:
            modules[reference.module.path] = reference.module
    for module in modules.values():
        if name in names_in_use(module):
            return False
        if module.is_package and f"{module.name}.{name}" in work.draft.project.modules:
            return False  # the package's attribute of this name is its submodule
    return True


def convert(work: Work, workflow: Workflow) -> None:
    """Leave the edits that turn the class into a function."""
    draft, module = work.draft, workflow.module
    entry = workflow.entry.node
    assert isinstance(entry, (ast.FunctionDef, ast.AsyncFunctionDef))
    draft.claim(workflow.decorator, entry.decorator_list[0])
    draft.survey.own_signature.add(workflow.entry)

    def emit_edits(emit: Emit) -> None:
        file = emit.file
        file.replace(workflow.definition.node, Whole(entry), code=RULE.code)
        file.replace(entry.decorator_list[0], durable_part(emit, workflow), code=RULE.code)
        file.rename(entry, workflow.function_name, code=RULE.code)
        _signature(emit, workflow)
        _docstring_edits(emit, workflow)
        emit.job.rename(workflow.definition, workflow.function_name, workflow.unit, code=RULE.code)

    draft.act(module, workflow.definition.node, emit_edits)


def _signature(emit: Emit, workflow: Workflow) -> None:
    """Put the context in the place of ``self``, and say what the generator returns."""
    entry, file = workflow.entry.node, emit.file
    assert isinstance(entry, (ast.FunctionDef, ast.AsyncFunctionDef))
    first = [*entry.args.posonlyargs, *entry.args.args][0]
    file.replace(first, f"{emit.ctx(entry)}: {emit.core('Context', typing_only=True)}", code=RULE.code)
    if workflow.entry.is_async:
        file.make_sync(entry, code=RULE.code)
    if entry.returns is not None and emit.job.colour(workflow.entry) == "generator":
        generator = file.name("collections.abc.Generator", typing_only=True)
        anything = file.name("typing.Any", typing_only=True)
        file.set_returns(entry, code(f"{generator}[{anything}, {anything}, {{}}]", entry.returns), code=RULE.code)


def durable_part(emit: Emit, workflow: Workflow) -> Part:
    """Return ``durable(name=...)`` with the registered name, as the source spells it where it does."""
    said = _keyword(workflow.decorator, "name")
    name: Part = said if said is not None else f'"{workflow.name}"'
    return call(emit.core("durable"), Named("name", name))


def _keyword(node: ast.expr, name: str) -> ast.expr | None:
    keywords = node.keywords if isinstance(node, ast.Call) else []
    return next((one.value for one in keywords if one.arg == name), None)


def _docstring(node: ast.AST) -> ast.Expr | None:
    body = getattr(node, "body", [])
    return body[0] if body and is_docstring(body[0]) else None


def _docstring_edits(emit: Emit, workflow: Workflow) -> None:
    own, inner = _docstring(workflow.definition.node), _docstring(workflow.entry.node)
    if own is None:
        return
    if inner is None:
        emit.file.insert_start(workflow.entry.node, own, code=RULE.code)
        return
    merged = merged_docstring(workflow)
    assert merged is not None, "a class whose texts cannot be merged stays a class"
    emit.file.replace(inner, merged, code=RULE.code)


def merged_docstring(workflow: Workflow) -> str | None:
    """Return the texts of class and method as one, or None if their quotes make that unsafe."""
    texts = []
    for node in (workflow.definition.node, workflow.entry.node):
        docstring = _docstring(node)
        text = ast.get_source_segment(workflow.module.source.text, docstring) if docstring is not None else None
        if text is None or not text.startswith('"""') or not text.endswith('"""') or "\\" in text:
            return None
        texts.append(text[3:-3].strip())
    return '"""' + texts[0] + "\n\n" + texts[1] + '\n"""'
