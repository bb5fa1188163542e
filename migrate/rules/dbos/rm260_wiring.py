"""RM260: ``DBOS(config=...)``, ``DBOS.launch()`` and ``DBOS.destroy()``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, Literal

from migrate.plan.fragments import block
from migrate.plan.survey import Bridge
from migrate.rules.base import Rule
from migrate.rules.dbos import rm261_fastapi, rm270_classes, rm554_configuration
from migrate.rules.dbos.client import NAME, app_path, client_name
from migrate.rules.dbos.facts import At, WiringSite
from migrate.rules.dbos.nodes import keyword, statement_of
from migrate.rules.dbos.vocabulary import CONFIG, DBOS, DESTROY, LAUNCH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate.index.model import Module, Scope
    from migrate.plan.edits import FileEdits
    from migrate.plan.fragments import Part
    from migrate.plan.job import Job
    from migrate.plan.survey import Unit
    from migrate.rules.dbos.facts import Facts

RULE: Final = Rule(
    code="RM260",
    title="DBOS is configured, launched and destroyed no more",
    family="dbos",
    level="manual",
    applicability="review",
    what="""\
    DBOS(config=config)                         resonate = Resonate()
    DBOS.launch()                               resonate.register_all()
                                                resonate.start()
    DBOS.destroy()                              resonate.stop()

A program of several files gets the client from one generated module, `resonate_app.py`, next to the file that
configured DBOS. The configuration goes where nothing else reads it. While some workflows stay on DBOS, both are
started. In tests DBOS is destroyed and its database reset no more: they share one client.""",
    why="The client object starts executions and runs them; its store is RESONATE_URL, else a SQLite file.",
    action="Start the client where the program starts: resonate.register_all(), then resonate.start().",
    minutes=15,
)

_KINDS: Final[Mapping[str, Literal["construct", "launch", "destroy"]]] = {
    DBOS: "construct",
    LAUNCH: "launch",
    DESTROY: "destroy",
}
_CONFIG_ONLY: Final = frozenset({"config", "conductor_url", "conductor_key", "fastapi"})


def survey(facts: Facts, module: Module, call: ast.Call) -> None:
    """Note a statement that configures, launches or destroys DBOS."""
    name = facts.project.external(module, call.func)
    facts.claim(call.func)
    problem = _problem(module, call, name)
    if problem:
        at = facts.at_wiring(module, call)
        facts.link_all(at.unit)
        facts.stay(at, RULE, problem)
        return
    if name == DBOS:
        _claim_config(facts, module, call)
    if keyword(call, "fastapi") is not None and not _survey_fastapi(facts, module, call):
        return
    unit = facts.at_wiring(module, call).unit
    facts.wiring.append(WiringSite(module, call, _KINDS[name], unit))


def lay_bridges(facts: Facts) -> None:
    """Let DBOS be configured and launched as long as anything stays there; what moves is started beside it."""
    sites = [site.unit for site in facts.wiring if site.unit is not None]
    others = [unit for unit in facts.survey.units if unit not in sites]
    for site in sites:
        of_tests = site.module.is_test
        facts.survey.link(next(one for one in sites if one.module.is_test is of_tests), site)
        for unit in others if of_tests else [one for one in others if not one.module.is_test]:
            facts.survey.bridges.append(Bridge(site, unit, is_breakable=False, needs_shim=False))


def survey_reset(facts: Facts, module: Module, call: ast.Call) -> None:
    """Note ``DBOS.reset_system_database()`` in a test; elsewhere it is a use that no rule knows."""
    statement = statement_of(module, call)
    if module.is_test and isinstance(statement, ast.Expr) and statement.value is call:
        facts.claim(call.func)
        facts.wiring.append(WiringSite(module, call, "reset"))


def _survey_fastapi(facts: Facts, module: Module, call: ast.Call) -> bool:
    """Note a launch that is tied to FastAPI; everything moves with it, or nothing."""
    at = facts.at_wiring(module, call)
    facts.link_all(at.unit)
    app = rm261_fastapi.application(facts, at)
    if app is None:
        facts.stay(at, rm261_fastapi.RULE, "DBOS(fastapi=...) is tied to an application that has its own lifespan")
        return False
    facts.needs_client(at)
    facts.later(at, lambda job: rm261_fastapi.edit(job, facts, at, app))
    return True


def _claim_config(facts: Facts, module: Module, call: ast.Call) -> None:
    """Explain ``DBOSConfig`` in the configuration: it goes, or its annotation becomes ``dict``."""
    value = keyword(call, "config", 0)
    places: list[ast.AST | None] = [value]
    if isinstance(value, ast.Name):
        places.append(_only_assignment(module, value))
    for place in places:
        for node in ast.walk(place) if place is not None else ():
            if isinstance(node, (ast.Name, ast.Attribute)) and facts.project.external(module, node) == CONFIG:
                facts.claim(node)


def _problem(module: Module, call: ast.Call, name: str) -> str:
    statement = statement_of(module, call)
    is_statement = isinstance(statement, ast.Expr) and statement.value is call
    if name == DBOS:
        is_variable = isinstance(statement, ast.Assign) and statement.value is call and len(statement.targets) == 1
        if not is_statement and not is_variable:
            return "DBOS(...) is made inside another expression"
        unknown = [entry.arg or "**" for entry in call.keywords if entry.arg not in _CONFIG_ONLY]
        if unknown:
            return f"DBOS({unknown[0]}=...) ties the launch to a framework"
        return ""
    if not is_statement:
        return f"{ast.unparse(call.func)}() is used inside another expression"
    return ""


# -- edits


def edit(job: Job, facts: Facts) -> None:
    """Edit the program's start and end, once it is known what converts."""
    home, unit = facts.home(job), facts.speaker(job)
    if home is None or unit is None:
        return
    if home.kind == "app":
        text = f"from resonate_core import Resonate\n\n{NAME} = Resonate()\n"
        job.create_file(app_path(home), text, unit)
    if home.kind == "top":
        _make_at_top(job, home.module, home.name, unit)
    configure = facts.configures_logging(job)
    for site in facts.wiring:
        stays = _stays(job, facts, site)
        if _is_of_tests(site):
            _edit_test(job, site, unit, stays=stays)
        elif site.kind == "construct":
            _edit_construct(job, facts, site, unit, stays=stays, configure=configure)
        else:
            _edit_launch(job, facts, site, unit, stays=stays)
    is_launched = any(site.kind == "launch" or keyword(site.node, "fastapi") is not None for site in facts.wiring)
    if not is_launched and facts.client_sites:
        first = facts.client_sites[0]
        job.report(first.module, first.node, RULE.code, "review", "no file here launches DBOS", RULE.action)


def _stays(job: Job, facts: Facts, site: WiringSite) -> bool:
    """Tell whether DBOS is still started here; resetting its database goes with the other sites of the tests."""
    of_tests = [one.unit for one in facts.wiring if one.unit is not None and one.module.is_test]
    units = of_tests if site.unit is None else [site.unit]
    return any(not job.converts(unit) for unit in units)


def _is_of_tests(site: WiringSite) -> bool:
    """Tell whether a site ends or empties what other tests of the same process go on using."""
    return site.kind == "reset" or (site.kind == "destroy" and site.module.is_test)


def _edit_test(job: Job, site: WiringSite, unit: Unit, *, stays: bool) -> None:
    """Let the tests of one process share the client, which cannot be started again once it was stopped."""
    if stays:
        return
    job.file(site.module, unit).remove(statement_of(site.module, site.node), code=RULE.code)
    if site.kind == "reset":
        message = "tests share one client, and its store is not emptied between them"
        action = "Set RESONATE_URL=memory: for the tests, and give executions ids of their own."
        job.report(site.module, site.node, RULE.code, "review", message, action)


def _make_at_top(job: Job, module: Module, name: str, unit: Unit) -> None:
    file = job.file(module, unit)
    line = f"{name} = {file.name('resonate_core.Resonate')}()"
    imports = [node for node in module.tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    if imports:
        file.insert_after(imports[-1], f"\n{line}", code=RULE.code)
    else:
        file.insert_start(module.tree, line, code=RULE.code)


def _edit_construct(job: Job, facts: Facts, site: WiringSite, unit: Unit, *, stays: bool, configure: bool) -> None:
    module, home = site.module, facts.home(job)
    assert home is not None
    file = job.file(module, unit)
    statement = statement_of(module, site.node)
    lines: list[Part] = []
    if configure and not stays:
        lines.append("{0}.basicConfig(level={0}.INFO)".format(file.name("logging")))
    if home.kind == "here":
        lines.append(f"{home.name} = {file.name('resonate_core.Resonate')}()")
    if stays:
        if lines:
            file.insert_after(statement, block(*lines), code=RULE.code)
        return
    if lines:
        file.replace(statement, block(*lines), code=RULE.code)
    else:
        file.remove(statement, code=RULE.code)
    _edit_config(job, facts, site, unit)


def _edit_config(job: Job, facts: Facts, site: WiringSite, unit: Unit) -> None:
    module = site.module
    assert isinstance(site.node, ast.Call)
    value = keyword(site.node, "config", 0)
    if value is None:
        return
    shown: ast.AST = value
    if isinstance(value, ast.Name):
        assigned = _only_assignment(module, value)
        if assigned is not None:
            shown = assigned.value or value
            _drop_config(job.file(module, unit), facts, assigned, is_read_elsewhere=_reads(module, value) > 1)
    rm554_configuration.tell(job, module, shown)


def _drop_config(
    file: FileEdits, facts: Facts, assigned: ast.Assign | ast.AnnAssign, *, is_read_elsewhere: bool
) -> None:
    module = file.module
    if not is_read_elsewhere:
        file.remove(assigned, code=RULE.code)
        return
    if isinstance(assigned, ast.AnnAssign) and facts.project.external(module, assigned.annotation) == CONFIG:
        file.replace(assigned.annotation, "dict", code=RULE.code)
    if isinstance(assigned.value, ast.Call) and facts.project.external(module, assigned.value.func) == CONFIG:
        file.replace(assigned.value.func, "dict", code=RULE.code)


def _only_assignment(module: Module, name: ast.Name) -> ast.Assign | ast.AnnAssign | None:
    scope: Scope | None = module.scope_of.get(name, module.scope)
    while scope is not None and name.id not in scope.bindings:
        scope = scope.parent
    bindings = scope.bindings[name.id] if scope is not None else []
    if len(bindings) != 1 or not isinstance(bindings[0].node, (ast.Assign, ast.AnnAssign)):
        return None
    statement = bindings[0].node
    return statement if isinstance(statement, ast.AnnAssign) or len(statement.targets) == 1 else None


def _reads(module: Module, name: ast.Name) -> int:
    names = [node for node in module.sites if isinstance(node, ast.Name) and node.id == name.id]
    return sum(isinstance(node.ctx, ast.Load) for node in names)


def _edit_launch(job: Job, facts: Facts, site: WiringSite, unit: Unit, *, stays: bool) -> None:
    module = site.module
    file = job.file(module, unit)
    statement = statement_of(module, site.node)
    at = At(module, site.node, unit, "outside")
    client = client_name(facts, job, at)
    function = module.function_around(site.node)
    is_async = function is not None and function.is_async
    verb = "start" if site.kind == "launch" else "stop"
    call = f"await {client}.aio.{verb}()" if is_async else f"{client}.{verb}()"
    registered = [f"{client}.register_all()", *rm270_classes.registrations(job, facts, at, client)]
    lines = [*registered, call] if verb == "start" else [call]
    said = [ast.unparse(value) for value in (*site.node.args, *site.node.keywords)]
    if verb == "stop" and said:
        message = f"DBOS.destroy({', '.join(said)}) becomes {call}, which gives running steps five seconds to end"
        job.report(module, site.node, RULE.code, "review", message, "Say stop(timeout=...) if they need longer.")
    if stays and verb == "start":
        file.insert_after(statement, block(*lines), code=RULE.code)
    elif stays:
        file.insert_before(statement, block(*lines), code=RULE.code)
    else:
        file.replace(statement, block(*lines), code=RULE.code)
