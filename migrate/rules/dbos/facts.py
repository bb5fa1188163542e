"""What the survey knows of a DBOS project: marked functions, what runs inside a workflow, units, and edits to come.

Theory. A function of a DBOS program runs in one of four places, and the same call means something else in each:

* *workflow*: the body of a workflow, or a helper that a workflow reaches by plain calls. A step call is recorded.
* *step*: the body of a step or transaction. Steps that it calls run inline.
* *nested*: a function defined inside a workflow that nobody calls by its name there (it is handed to other code). What
  it does is recorded or not depending on who calls it; nothing durable may be converted in it.
* *outside*: handlers, scripts, tests. A step call is a plain call, a workflow call starts an execution.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from migrate.plan.fragments import call, code
from migrate.plan.survey import Bridge, Survey
from migrate.rules.dbos import client as client_object
from migrate.rules.dbos import rm216_comprehension
from migrate.rules.dbos.nodes import awaited, is_in_async

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from migrate.findings import Level, Tier
    from migrate.index.model import Definition, Module
    from migrate.index.project import Project
    from migrate.plan.edits import FileEdits
    from migrate.plan.fragments import Part
    from migrate.plan.job import Job
    from migrate.plan.survey import Unit
    from migrate.rules.base import Rule
    from migrate.rules.dbos.client import Home
    from migrate.rules.dbos.rm216_comprehension import Comprehension, Lowering
    from migrate.rules.dbos.rm231_queue import QueueFact

Role: TypeAlias = Literal["workflow", "step", "transaction"]
Place: TypeAlias = Literal["workflow", "step", "nested", "outside"]
Edit: TypeAlias = "Callable[[Job], None]"

#: Tier of what has no generator form: it runs on the shim, and the finding says why.
STAYS: Tier = "compat"


@dataclass(eq=False)
class Marked:
    """A function with one of DBOS's decorators.

    Attributes:
        role: what the decorator makes of it.
        definition: the function.
        decorator: the decorator's expression.
        unit: the unit it moves as.
    """

    role: Role
    definition: Definition
    decorator: ast.expr
    unit: Unit


@dataclass(frozen=True, eq=False)
class At:
    """A place of the program.

    Attributes:
        module: file.
        node: node there.
        unit: what moves or stays with it.
        place: where its code runs.
    """

    module: Module
    node: ast.AST
    unit: Unit
    place: Place

    def file(self, job: Job) -> FileEdits:
        """Return the verbs for the file, in the unit's group."""
        return job.file(self.module, self.unit)

    def ctx(self, job: Job) -> str:
        """Return the name of the context there."""
        return job.ctx(self.module, self.node)

    @property
    def is_async(self) -> bool:
        """Whether it stands in the body of an async function."""
        return is_in_async(self.module, self.node)


@dataclass
class DbosSurvey(Survey):
    """A survey that remembers what the rules noted for the edits."""

    facts: Facts | None = None


@dataclass(frozen=True)
class WiringSite:
    """A statement that configures, launches or destroys DBOS; ``unit`` moves when all that uses DBOS does."""

    module: Module
    node: ast.Call
    kind: Literal["construct", "launch", "destroy", "reset"]
    unit: Unit | None = None


@dataclass(eq=False)
class Facts:
    """Filled by the survey, read by the rules.

    Attributes:
        project: the index.
        survey: what the engine gets.
        marked: workflows, steps and transactions.
        inside: helpers that run as part of a workflow.
        claimed: names (the first part of ``DBOS.x.y``) that a rule has explained.
        explained: mentions of workflows and steps that a rule rewrites.
        ids: id expression of a start, from the ``with SetWorkflowID(...)`` around it.
        timeouts: seconds of a start, from the ``with SetWorkflowTimeout(...)`` around it.
        enqueue_options: options of a start, from the ``with SetEnqueueOptions(...)`` around it.
        enqueued: starts in queues, with the queue and the place.
        datasource_users: units that make or use a datasource.
        retrieved: what is done with handles that were found by an id in the same function.
        dropped: items of ``with`` statements that go, by statement.
        aliases: assignments such as ``step = DBOS.step``.
        begun: calls that ``gather`` begins: they become commands that nobody yields there.
        planned: edits, each with the unit that must convert for it.
        client_sites: places that will use the client object.
        wiring: statements that configure, launch or destroy DBOS.
        queues: queues by name.
        statics: workflows that are static methods.
        uses_logger: units that write to DBOS's logger.
        needs_context: mentions that a context must answer.
        reached: for a helper, the workflows that reach it.
    """

    project: Project
    survey: DbosSurvey = field(default_factory=DbosSurvey)
    marked: dict[Definition, Marked] = field(default_factory=dict)
    inside: set[Definition] = field(default_factory=set)
    claimed: set[ast.AST] = field(default_factory=set)
    explained: set[ast.AST] = field(default_factory=set)
    ids: dict[ast.Call, ast.expr] = field(default_factory=dict)
    timeouts: dict[ast.Call, ast.expr] = field(default_factory=dict)
    enqueue_options: dict[ast.Call, list[tuple[str, ast.expr]]] = field(default_factory=dict)
    enqueued: dict[ast.Call, tuple[QueueFact, At]] = field(default_factory=dict)
    datasource_users: list[Unit] = field(default_factory=list)
    retrieved: set[ast.AST] = field(default_factory=set)
    dropped: dict[ast.AST, list[ast.withitem]] = field(default_factory=dict)
    aliases: dict[ast.AST, At] = field(default_factory=dict)
    begun: set[ast.Call] = field(default_factory=set)
    planned: list[tuple[Unit, Edit]] = field(default_factory=list)
    client_sites: list[At] = field(default_factory=list)
    wiring: list[WiringSite] = field(default_factory=list)
    queues: dict[str, QueueFact] = field(default_factory=dict)
    statics: list[Marked] = field(default_factory=list)
    uses_logger: list[Unit] = field(default_factory=list)
    needs_context: list[At] = field(default_factory=list)
    reached: dict[Definition, list[Marked]] = field(default_factory=dict)
    _units: dict[object, Unit] = field(default_factory=dict)
    _owned: dict[ast.AST, Unit] = field(default_factory=dict)
    _lowered: dict[Comprehension, Lowering | None] = field(default_factory=dict)
    _names: dict[Definition, set[str]] = field(default_factory=dict)
    _homes: dict[Job, Home | None] = field(default_factory=dict)
    _durable: tuple[int, set[Definition]] = (-1, set())

    def __post_init__(self) -> None:
        self.survey.facts = self

    # -- where code runs

    def function(self, module: Module, node: ast.AST) -> Definition | None:
        """Return the innermost function around ``node``."""
        return module.function_around(node)

    def place(self, module: Module, node: ast.AST) -> Place:
        """Say where the code of ``node`` runs."""
        current = module.function_around(node)
        innermost = current
        while current is not None:
            mark = self.marked.get(current)
            if mark is not None:
                if mark.role != "workflow":
                    return "step"
                return "workflow" if current is innermost or innermost in self.inside else "nested"
            if current is innermost and current in self.inside and not self._is_in_marked(current):
                return "workflow"
            current = current.parent
        return "outside"

    def _is_in_marked(self, definition: Definition) -> bool:
        current = definition.parent
        while current is not None:
            if current in self.marked:
                return True
            current = current.parent
        return False

    def mark_of(self, module: Module, node: ast.AST) -> Marked | None:
        """Return the workflow or step whose definition ``node`` stands in."""
        current = module.definition_around(node)
        while current is not None:
            if current in self.marked:
                return self.marked[current]
            current = current.parent
        return None

    def called(self, module: Module, node: ast.expr) -> Marked | None:
        """Return the workflow or step that an expression names, if it names one."""
        found = self.project.resolve(module, node)
        if found is None or found.kind != "definition" or found.definition is None:
            return None
        return self.marked.get(found.definition)

    def workflows(self) -> Iterator[Marked]:
        """Yield the workflows."""
        return (mark for mark in self.marked.values() if mark.role == "workflow")

    # -- units

    def at(self, module: Module, node: ast.AST) -> At:
        """Describe a place."""
        return At(module, node, self.unit_at(module, node), self.place(module, node))

    def at_mark(self, mark: Marked) -> At:
        """Describe the decorator of a workflow or step."""
        return At(mark.definition.module, mark.decorator, mark.unit, "outside")

    def unit_at(self, module: Module, node: ast.AST) -> Unit:
        """Return the unit that code at ``node`` belongs to: a workflow, a step, a helper, or a client of workflows."""
        mark = self.mark_of(module, node)
        if mark is not None:
            return mark.unit
        function = module.function_around(node)
        if function is not None and function in self.inside:
            return self._helper(module, function)
        owner = next((self._owned[one] for one in (node, *module.ancestors(node)) if one in self._owned), None)
        if owner is not None:
            return owner
        top = module.definition_around(node)
        while top is not None and top.parent is not None:
            top = top.parent
        key, name = (top, top.qualname) if top is not None else ((module, "<module>"), module.name)
        if key not in self._units:
            where = top.node if top is not None else module.tree
            self._units[key] = self.survey.unit("client", name, module, where, top)
        return self._units[key]

    def at_start(self, module: Module, call: ast.Call) -> At:
        """Describe a call that starts a workflow. Outside of workflows it moves by itself, with what it starts."""
        if call not in self._owned and self.place(module, call) == "outside":
            name = f"start at line {call.lineno}"
            self._owned[call] = self.survey.unit("client", name, module, call)
        return self.at(module, call)

    def own(self, at: At, nodes: Iterable[ast.AST]) -> None:
        """Let what is done with a handle move with the start that gave it."""
        if at.unit is self._owned.get(at.node):
            for node in nodes:
                other = self._owned.setdefault(node, at.unit)
                if other is not at.unit:
                    self.survey.link(at.unit, other)

    def _helper(self, module: Module, function: Definition) -> Unit:
        if function not in self._units:
            unit = self.survey.unit("other", function.qualname, module, function.node, function)
            for workflow in self.reached.get(function, ()):
                self.survey.link(unit, workflow.unit)
            self._units[function] = unit
        return self._units[function]

    def at_wiring(self, module: Module, node: ast.AST) -> At:
        """Describe a statement that starts or stops DBOS; it moves by itself."""
        unit = self.survey.unit("worker", f"{module.name}: DBOS", module, node)
        return At(module, node, unit, "outside")

    # -- notes of the rules

    def claim(self, node: ast.AST) -> None:
        """Say that a mention of DBOS is explained: the first name of the chain that ``node`` is."""
        while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
            node = node.func if isinstance(node, ast.Call) else node.value
        self.claimed.add(node)

    def explain(self, node: ast.AST) -> None:
        """Say that a rule rewrites this mention of a workflow or step."""
        self.explained.add(node)

    def later(self, at: At, edit: Edit) -> None:
        """Record an edit that is made if the place's unit converts."""
        self.planned.append((at.unit, edit))

    def tell(self, at: At, code: str, level: Level, message: str, action: str = "") -> None:
        """Say something about a place if its unit converts."""
        self.later(at, lambda job: job.report(at.module, at.node, code, level, message, action))

    def stay(self, at: At, rule: Rule, message: str, *, node: ast.AST | None = None, action: str = "") -> None:
        """Keep a unit, and what hangs on it, on DBOS, and say why."""
        at.unit.need(STAYS, rule.code, node or at.node, message, action or rule.action, module=at.module)

    def needs_client(self, at: At) -> None:
        """Say that the place will use the client object."""
        self.client_sites.append(at)

    def need_helper(self, at: At, rule: Rule) -> None:
        """Say that the generator form is one that only this runtime has."""
        at.unit.need("helper", rule.code, at.node, module=at.module)

    def link_all(self, unit: Unit) -> None:
        """Tie a unit to every workflow: it may hand any of them on."""
        for mark in self.workflows():
            self.survey.link(unit, mark.unit)

    def address_all(self, unit: Unit) -> None:
        """Tie a unit loosely to every workflow: it addresses executions by id, and an id may be that of any of them."""
        for mark in self.workflows():
            self.survey.loose.append((unit, mark.unit))

    def start(self, unit: Unit, target: Marked, *, is_served: bool) -> None:
        """Tie a unit to a workflow that it starts.

        Args:
            unit: who starts.
            target: what is started.
            is_served: the call is one that the shim answers for a rewritten function as well.
        """
        if is_served:
            self.survey.bridges.append(Bridge(unit, target.unit, is_breakable=False))
        else:
            self.survey.link(unit, target.unit)

    def uses_datasource(self, at: At) -> None:
        """Tie a place to every other one that uses a datasource: such an object is of one kind in a program."""
        self.datasource_users.append(at.unit)
        self.survey.link(self.datasource_users[0], at.unit)

    def link_steps(self, unit: Unit) -> None:
        """Tie a unit to every step: a workflow that nobody can see may call any of them, and would record none."""
        for mark in self.marked.values():
            if mark.role != "workflow":
                self.survey.link(unit, mark.unit)

    # -- durable expressions

    def site(self, at: At, node: ast.expr) -> None:
        """Note an expression that becomes a ``yield``; a comprehension around it becomes a loop, or keeps the unit."""
        self.survey.site(at.module, node, handled=self.lower_around(at, node))

    def lower_around(self, at: At, node: ast.expr) -> bool:
        """Plan the loop that takes the place of the comprehension around ``node``; True if there is one."""
        around = rm216_comprehension.around(at.module, node)
        if not around:
            return rm216_comprehension.is_in_first_iterable(at.module, node)
        lowering = self._lowering(at, around[0]) if len(around) == 1 else None
        if lowering is None:
            message = "a durable call stands in a comprehension that cannot become a loop here"
            self.stay(at, rm216_comprehension.RULE, message)
        return True

    def _lowering(self, at: At, comprehension: Comprehension) -> Lowering | None:
        if comprehension not in self._lowered:
            lowering = self._lowered[comprehension] = rm216_comprehension.plan(self, at.module, comprehension)
            if lowering is not None:
                self.later(at, lambda job: rm216_comprehension.edit(at.file(job), lowering))
        return self._lowered[comprehension]

    def durable_call(self, at: At, rule: Rule, verb: str, parts: Sequence[Part]) -> None:
        """Note a call that becomes ``yield ctx.<verb>(...)``."""
        assert isinstance(at.node, ast.Call)
        node = awaited(at.module, at.node)
        self.site(at, node)

        def edit(job: Job) -> None:
            at.file(job).replace(node, code("yield {}", call(f"{at.ctx(job)}.{verb}", *parts)), code=rule.code)

        self.later(at, edit)

    def client_call(self, at: At, rule: Rule, verb: str, parts: Sequence[Part]) -> None:
        """Note a call that becomes one of the client's: ``resonate.<verb>(...)``, a coroutine in async code."""
        assert isinstance(at.node, ast.Call)
        is_coroutine = self.project.external(at.module, at.node.func).endswith("_async")
        self.needs_client(at)
        self.later(at, lambda job: self.write_client_call(job, at, rule, verb, parts, is_coroutine=is_coroutine))

    def write_client_call(
        self, job: Job, at: At, rule: Rule, verb: str, parts: Sequence[Part], *, is_coroutine: bool, view: str = ""
    ) -> None:
        """Replace a call: a coroutine by a coroutine; a call that blocked by one that blocks, or is awaited.

        Args:
            job: the edits.
            at: the call.
            rule: whose edit it is.
            verb: method of the client.
            parts: arguments.
            is_coroutine: the call gives a coroutine.
            view: what stands between the client and its method.
        """
        assert isinstance(at.node, ast.Call)
        client = self.client_name(job, at) + view
        if is_coroutine or at.is_async:
            new: Part = call(f"{client}.aio.{verb}", *parts)
        else:
            new = call(f"{client}.{verb}", *parts)
        if at.is_async and not is_coroutine:
            new = code("await {}", new)
        at.file(job).replace(at.node, new, code=rule.code)

    def durable(self) -> set[Definition]:
        """Return the functions that hold a durable expression, and their callers, as far as noted by now."""
        found: set[Definition] = set()
        fresh = [one for site in self.survey.sites if (one := site.module.function_around(site.node)) is not None]
        while fresh:
            current = fresh.pop()
            if current in found:
                continue
            found.add(current)
            if current not in self.marked:
                fresh.extend(site.caller for site in self.project.callers(current) if site.caller is not None)
        return found

    def is_durable_at(self, module: Module, node: ast.AST) -> bool:
        """Tell whether the function around ``node`` holds a durable expression, as far as noted by now."""
        if self._durable[0] != len(self.survey.sites):
            self._durable = (len(self.survey.sites), self.durable())
        return module.function_around(node) in self._durable[1]

    def has_context(self, job: Job, function: Definition) -> bool:
        """Tell whether a function has a context parameter after the edits."""
        mark = self.marked.get(function)
        return job.colour(function) == "generator" or (mark is not None and mark.role == "workflow")

    # -- names

    def fresh_name(self, function: Definition, wish: str) -> str:
        """Return a variable name that a function does not use yet."""
        if function not in self._names:
            names = {node.id for node in ast.walk(function.node) if isinstance(node, ast.Name)}
            self._names[function] = names | {node.arg for node in ast.walk(function.node) if isinstance(node, ast.arg)}
        taken = self._names[function]
        name, count = wish, 1
        while name in taken:
            count += 1
            name = f"{wish}_{count}"
        taken.add(name)
        return name

    def given_name(self, mark: Marked) -> str | None:
        """Return the name to register a function under if its own would not do: a method's, or one used twice."""
        definition = mark.definition
        inner = definition.qualname[len(definition.module.name) + 1 :]
        if mark.role == "workflow" and "." in inner:
            return repr(inner).replace("'", '"')
        same = [other for other in self.marked.values() if other.definition.name == definition.name]
        if len(same) == 1:
            return None
        return f'"{definition.module.name.rpartition(".")[2]}.{inner}"'

    # -- the client object

    def home(self, job: Job) -> Home | None:
        """Return where the client object is made."""
        if job not in self._homes:
            self._homes[job] = client_object.find_home(self, job)
        return self._homes[job]

    def client_name(self, job: Job, at: At) -> str:
        """Return how a file names the client object."""
        return client_object.client_name(self, job, at)

    def speaker(self, job: Job) -> Unit | None:
        """Return the unit that the program's wiring moves with: a workflow, a step or a client; None if none moves."""
        units = [mark.unit for mark in self.marked.values()] + [site.unit for site in self.client_sites]
        moving = [unit for unit in units if job.converts(unit)]
        return next((unit for unit in moving if unit.kind == "workflow"), moving[0] if moving else None)

    def configures_logging(self, job: Job) -> bool:
        """Tell whether the console output of DBOS's logger has to be configured in its place."""
        if not any(job.converts(unit) for unit in self.uses_logger):
            return False
        names = ("logging.basicConfig", "logging.config.dictConfig", "logging.config.fileConfig")
        return next(iter(self.project.calls_of(*names)), None) is None
