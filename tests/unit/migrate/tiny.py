"""A whole source in fifty lines: what a rule author has to write, and what the engine is tested with."""

from __future__ import annotations

import ast
from types import MappingProxyType

from migrate.plan.fragments import call, code
from migrate.plan.survey import Survey


class Tiny:
    """``sdk.workflow`` functions await ``sdk.step(f, *args)``."""

    name = "tiny"
    packages = ("sdk",)
    types = MappingProxyType({})

    def survey(self, project):
        survey = Survey()
        for definition in project.definitions():
            if project.decorator(definition, "sdk.workflow"):
                unit = survey.unit("workflow", definition.name, definition.module, definition.node, definition)
                survey.root(definition, unit)
                survey.opaque.add(definition)
        for module, node in project.calls_of("sdk.step"):
            survey.site(module, module.parents[node])
        return survey

    def edit(self, job):
        for unit in job.units("workflow"):
            file = job.file(unit.module, unit)
            decorator = job.project.decorator(unit.definition, "sdk.workflow")
            file.replace(decorator, code("{}()", file.name("resonate_core.durable")), code="RM110")
        for site in job.survey.sites:
            self._step(job, site)

    @staticmethod
    def _step(job, site):
        function = site.module.function_around(site.node)
        if function not in job.colouring.units:
            return
        unit = next(iter(job.colouring.units[function]))
        file = job.file(site.module, unit)
        original = site.node.value
        assert isinstance(original, ast.Call)
        ctx = job.ctx(site.module, site.node)
        file.replace(site.node, code("yield {}", call(f"{ctx}.run", *original.args)), code="RM120")
