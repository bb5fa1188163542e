"""The survey: one look at every place of a project, in an order in which outer things are seen before inner ones."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from migrate.rules.temporal import (
    contexts,
    coroutines,
    rm110_workflow_function,
    rm111_workflow_class,
    rm122_activity_options,
    rm123_step_mark,
    rm126_causes,
    rm130_await,
    rm131_gather,
    rm132_tasks,
    rm134_lock,
    rm138_semaphore,
    rm145_drain,
    rm151_workflow_context,
    rm199_leftover,
    rm517_module_state,
    tables,
    trees,
    wiring,
    workflow_reference,
)
from migrate.rules.temporal.bridges import lay_bridges
from migrate.rules.temporal.calls import find_calls
from migrate.rules.temporal.draft import SDK, Draft, mentions
from migrate.rules.temporal.duck import duck_name
from migrate.rules.temporal.facts import FUNCTIONS, HANDLERS, Facts, find_activities, find_workflows
from migrate.rules.temporal.links import link_fixtures, link_mentions, link_shared_names
from migrate.rules.temporal.notes import note_cancellation, note_raises, note_raw_errors
from migrate.rules.temporal.place import Place, Work
from migrate.rules.temporal.queues import find_queues
from migrate.rules.temporal.reach import reachable
from migrate.rules.temporal.wrapped import looks_at_wrapper

if TYPE_CHECKING:
    from migrate.index.model import Definition, Module
    from migrate.index.project import Project
    from migrate.rules.temporal.draft import TemporalSurvey
    from migrate.rules.temporal.facts import Workflow


def survey(project: Project) -> TemporalSurvey:
    """Look at a project; nothing is changed."""
    try:
        return Surveyor(project).run()
    finally:
        trees.forget()


class Surveyor:
    """One survey in the making."""

    def __init__(self, project: Project) -> None:
        self.draft = Draft(project)
        self.facts = Facts()
        find_activities(self.draft, self.facts)
        find_workflows(self.draft, self.facts)
        find_calls(self.draft, self.facts)
        self.reach = {one: reachable(self.draft, self.facts, one) for one in self.facts.workflows.values()}
        self.code = {function for functions in self.reach.values() for function in functions}
        self.work = Work(self.draft, self.facts, {}, queues=find_queues(project), code=self.code)
        self.work.durable = coroutines.durable_functions(self.draft, self.code)

    def run(self) -> TemporalSurvey:
        """Look at everything once."""
        self._wrapped()
        self.work.marks = rm122_activity_options.survey(self.draft, self.facts)
        self._roots()
        for function in sorted(self.code, key=lambda one: one.qualname):
            rm134_lock.convert_blocks(self.work, function)
            rm138_semaphore.convert_blocks(self.work, function)
            rm138_semaphore.find_limits(self.work, function)
            rm126_causes.convert(self.draft, function)
            coroutines.find_begun(self.work, function)
            coroutines.annotate(self.work, function)
            coroutines.find_beginners(self.work, function)
        rm151_workflow_context.convert_module_loggers(self.work)
        self._calls()
        self._names()
        for function in sorted(self.code, key=lambda one: one.qualname):
            rm130_await.convert_awaits(self.work, function)
            rm130_await.convert_calls(self.work, function)
        drained: set[Definition] = set()
        for workflow, functions in self.reach.items():
            rm145_drain.survey(self.work, workflow, functions, drained)
        self._definitions()
        roots = set(self.draft.survey.roots)
        contexts.spread(self.work, sorted(self.code, key=lambda one: one.qualname), roots, self._closed())
        wiring.drop_unused_clients(self.draft)
        rm199_leftover.report(self.draft)
        link_fixtures(self.draft)
        link_mentions(self.draft)
        link_shared_names(self.draft)
        lay_bridges(self.draft, self.facts, self.reach, self.work.queues)
        return self.draft.survey

    # -- workflows and activities

    def _wrapped(self) -> None:
        noted: set[Definition] = set()
        for functions in self.reach.values():
            fresh = [one for one in functions if one not in noted]
            noted.update(fresh)
            note_cancellation(self.draft, fresh)
            rm517_module_state.note(self.draft, fresh)
            note_raises(self.draft, [one for one in fresh if one not in self._closed()])
            if not looks_at_wrapper(self.draft, functions):
                note_raw_errors(self.draft, fresh)
                continue
            self.work.wrapped.update(functions)
            for call in self.facts.calls.values():
                if call.module.function_around(call.node) in functions:
                    call.is_wrapped = True

    def _roots(self) -> None:
        survey_ = self.draft.survey
        survey_.opaque.update(self.facts.activities)
        for workflow in self.facts.workflows.values():
            survey_.root(workflow.entry, workflow.unit)
            for kind, method in workflow.handlers:
                if kind != "validator":
                    survey_.root(method, workflow.unit)

    def _closed(self) -> set[Definition]:
        return {
            method
            for workflow in self.facts.workflows.values()
            for kind, method in workflow.handlers
            if kind in ("query", "validator")
        }

    def _definitions(self) -> None:
        draft = self.draft
        marks = {call.activity: self.work.marks[node] for node, call in self.facts.calls.items() if call.activity}
        for activity in self.facts.activities.values():
            rm123_step_mark.check(draft, activity)
            mark = marks.get(activity) or rm122_activity_options.choose_mark(draft, activity)
            rm123_step_mark.convert(draft, activity, mark)
        done: set[Definition] = set()
        workflow_reference.follow_values(draft, self.facts)
        for workflow in self.facts.workflows.values():
            rm111_workflow_class.check(draft, workflow)
            workflow.function_name = rm110_workflow_function.choose_name(self.work, workflow)
            if workflow.function_name:
                rm110_workflow_function.convert(self.work, workflow)
                continue
            rm111_workflow_class.convert(self.work, workflow)
            self._class_line(workflow, done)

    def _class_line(self, workflow: Workflow, done: set[Definition]) -> None:
        for owner in workflow.line:
            self.draft.link(workflow.unit, self.draft.unit(owner.module, owner.node))
            if owner in done:
                continue
            done.add(owner)
            rm111_workflow_class.convert_methods(self.work, owner)
            for method in owner.module.definitions.values():
                if method.parent is owner and isinstance(method.node, FUNCTIONS):
                    self._handler(method)

    def _handler(self, method: Definition) -> None:
        for node, meaning in self.draft.project.decorators(method):
            name = meaning.name.removesuffix(".dynamic") if meaning is not None and meaning.kind == "external" else ""
            if name in HANDLERS:
                tables.HANDLER_RULES[name](self.work, method, node)

    # -- places

    def _calls(self) -> None:
        for module in self.draft.project.modules.values():
            for node, name in self.draft.project.calls(module):
                if name and self.draft.is_alias(module, node.func):
                    continue
                function = module.function_around(node)
                if function is not None and function in self.code:
                    self._workflow_call(module, function, node, name)
                elif name.startswith(SDK):
                    wiring.convert_call(self.draft, self.facts, module, node, name)
                else:
                    self._duck(module, node)

    def _duck(self, module: Module, node: ast.Call) -> None:
        name = duck_name(self.draft, self.facts, module, node)
        if name:
            wiring.convert_call(self.draft, self.facts, module, node, name)
            if not name.startswith(f"{SDK}client.Client."):
                return
            message = f"taken for {name.removeprefix(SDK)} by its name: its class is not plain to see"
            action = "Annotate the client, or the handle, where it comes from."
            self.draft.note(module, node, "RM171", "review", message, action)

    def _workflow_call(self, module: Module, function: Definition, node: ast.Call, name: str) -> None:
        if node in self.work.taken:
            return
        place = Place(self.work, module, function, node, name)
        handler = tables.CALLS.get(name) or tables.prefix_handler(name)
        if handler is not None:
            handler(place)
        elif name.startswith(SDK):
            wiring.convert_call(self.draft, self.facts, module, node, name)
        elif not coroutines.convert(place) and self.work.modes.get(node) == "begin":
            rm131_gather.refuse(place)
        elif not name:
            rm132_tasks.convert_unknown(place)

    def _names(self) -> None:
        for module in self.draft.project.modules.values():
            for node in mentions(module):
                name = self.draft.external(module, node)
                if name == tables.TASK:
                    self._task_annotation(module, node)
                    continue
                if node in self.draft.claimed or not (name.startswith(SDK) or name in tables.NAMES):
                    continue
                if self.draft.is_alias(module, node):
                    continue
                if name in rm151_workflow_context.SETTINGS and rm151_workflow_context.drop_setting(
                    self.draft, module, node
                ):
                    continue
                function = module.function_around(node)
                if function is not None and function in self.code and tables.is_workflow_name(name):
                    handler = tables.NAMES.get(name) or tables.prefix_handler(name)
                    if handler is not None:
                        handler(Place(self.work, module, function, node, name))
                        continue
                if name.startswith(SDK):
                    wiring.convert_name(self.draft, module, node, name)

    def _task_annotation(self, module: Module, node: ast.expr) -> None:
        """``asyncio.Task[None]`` as the type of something in a workflow becomes ``Promise``."""
        around = module.definition_around(node)
        lines = {owner for workflow in self.facts.workflows.values() for owner in workflow.line}
        parent = module.parents.get(node)
        if (around in self.code or around in lines) and not isinstance(parent, ast.Call):
            wiring.annotate(self.draft, module, node, "Promise")
