"""Whole runs in memory, with the tiny source: holds, back-outs, suppression, statuses."""

from __future__ import annotations

import textwrap

import pytest

import migrate.run
from migrate.plan.fragments import code
from migrate.run import run, scan
from migrate.settings import Settings
from migrate.targets import Shim
from tests.unit.migrate.tiny import Tiny

FLOW = """
    import sdk
    from sdk import workflow


    @workflow
    async def {name}(x):
        return await sdk.step(print, x)
    """


@pytest.fixture
def go(tmp_path, monkeypatch):
    """Write files and run on them: ``go({"a.py": ...}, source=Tiny(), ignore=("RM120",))``."""

    def make(files, *, source=None, command=run, **settings):
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            data = text if isinstance(text, bytes) else textwrap.dedent(text).lstrip("\n").encode()
            file.write_bytes(data)
        monkeypatch.setattr(migrate.run, "load_source", lambda _: source or Tiny())
        return command(Settings((tmp_path,), "temporal", **settings)).report

    return make


def statuses(report):
    return {one.path: one.status for one in report.files}


def codes(report):
    return [f"{one.code} {one.path}:{one.line}" for one in report.findings]


def test_run_tells_each_files_status_and_each_workflows_tier(go):
    report = go(
        {"a.py": FLOW.format(name="a"), "b.py": "import os\n", "c.py": "import sdk\n", "d.py": "import sdk\n(\n"}
    )
    assert statuses(report) == {"a.py": "rewritten", "b.py": "skipped", "c.py": "unchanged", "d.py": "failed"}
    assert [(one.name, one.tier, one.path, one.line) for one in report.workflows] == [("a", "idiomatic", "a.py", 6)]
    assert report.workflows[0].codes == ("RM110", "RM120")
    assert codes(report) == ["RM304 c.py:1", "RM001 d.py:2"]
    assert report.summary()["idiomatic"] == 1


class Broken(Tiny):
    """Writes what does not compile into a workflow called ``bad``."""

    def edit(self, job):
        super().edit(job)
        for unit in job.units():
            if unit.name == "bad":
                job.file(unit.module, unit).insert_after(unit.node, "return 1 +", code="RM110")


def test_run_moves_what_could_not_be_rewritten_onto_the_shim(go, monkeypatch):
    shims = {"tiny": Shim("sdk", "shim", None)}
    monkeypatch.setattr("migrate.run.SHIMS", shims)
    monkeypatch.setattr("migrate.plan.shims.SHIMS", shims)
    report = go({"good.py": FLOW.format(name="good"), "bad.py": FLOW.format(name="bad")}, source=Broken())
    assert statuses(report) == {"good.py": "rewritten", "bad.py": "rewritten"}
    assert {one.name: one.tier for one in report.workflows} == {"good": "idiomatic", "bad": "compat"}
    assert codes(report) == ["RM003 bad.py:6", "RM013 bad.py:6"]
    changed = {one.path: one.encoded.decode() for one in report.changed}
    assert changed["bad.py"].startswith("import shim\nfrom shim import workflow\n")


def test_run_of_text_that_does_not_compile_is_backed_out_and_others_stand(go):
    good, bad = FLOW.format(name="good"), FLOW.format(name="bad")
    report = go({"good.py": good, "bad.py": bad}, source=Broken())
    assert statuses(report) == {"good.py": "rewritten", "bad.py": "failed"}
    assert codes(report) == ["RM003 bad.py:1", "RM008 bad.py:6"]
    assert {one.name: one.tier for one in report.workflows} == {"good": "idiomatic", "bad": "manual"}


def test_run_edit_of_a_place_that_does_not_exist_is_backed_out(go):
    class Wrong(Tiny):
        def edit(self, job):
            super().edit(job)
            for unit in job.units():
                if unit.name == "bad":
                    job.file(unit.module, unit).replace(unit.node.args, "nothing", code="RM110")

    report = go({"good.py": FLOW.format(name="good"), "bad.py": FLOW.format(name="bad")}, source=Wrong())
    assert statuses(report) == {"good.py": "rewritten", "bad.py": "failed"}


def test_run_backs_out_only_the_guilty_group_of_a_shared_file(go):
    class Broken(Tiny):
        def edit(self, job):
            super().edit(job)
            for unit in job.units():
                if unit.name == "bad":
                    job.file(unit.module, unit).insert_after(unit.node, "return 1 +", code="RM110")

    text = (
        FLOW.format(name="good") + "\n\n    @workflow\n    async def bad(x):\n        return await sdk.step(print, x)\n"
    )
    report = go({"both.py": text}, source=Broken())
    assert report.files[0].status == "rewritten"
    assert "async def bad" in report.files[0].new
    assert {one.name: one.tier for one in report.workflows} == {"good": "idiomatic", "bad": "manual"}


def test_run_that_a_second_run_would_change_again_is_backed_out(go):
    class Restless(Tiny):
        def survey(self, project):
            survey = super().survey(project)
            for module in project.modules.values():
                unit = survey.unit("other", module.name, module, module.tree)
                unit.data = module
            return survey

        def edit(self, job):
            for unit in job.units("other"):
                job.file(unit.module, unit).insert_end(unit.module.tree, "x = sdk", code="RM110")

    report = go({"a.py": "import sdk\n"}, source=Restless())
    assert statuses(report) == {"a.py": "unchanged"}
    assert codes(report) == ["RM003 a.py:1"]


def test_run_lost_comment_is_a_problem(go):
    class Careless(Tiny):
        def edit(self, job):
            for unit in job.units():
                file = job.file(unit.module, unit)
                file.replace(unit.node, code("kept = {}", repr("# not a comment")), code="RM110")

    report = go({"a.py": FLOW.format(name="a") + "    # the end\n"}, source=Careless())
    assert statuses(report) == {"a.py": "rewritten"}
    assert report.files[0].new.endswith("# the end\n")


def test_run_workflow_held_back_names_what_holds_it(go):
    class Linked(Tiny):
        def survey(self, project):
            survey = super().survey(project)
            survey.link(*survey.units)
            survey.units[0].need("manual", "RM190", survey.units[0].node, "it is special", "decide")
            return survey

    report = go({"a.py": FLOW.format(name="a"), "b.py": FLOW.format(name="b")}, source=Linked())
    assert statuses(report) == {"a.py": "unchanged", "b.py": "unchanged"}
    assert codes(report) == ["RM190 a.py:6", "RM008 b.py:6"]
    held = report.findings[1]
    assert held.level == "manual"
    assert "workflow a (a.py:6): it is special" in held.message


def test_run_file_without_findings_of_its_own_says_what_keeps_it(go):
    class Linked(Tiny):
        def survey(self, project):
            survey = super().survey(project)
            module = project.paths["b.py"]
            survey.link(survey.units[0], survey.unit("client", "b", module, module.tree))
            survey.units[0].need("manual", "RM190", survey.units[0].node, "it is special", "decide")
            return survey

    report = go({"a.py": FLOW.format(name="a"), "b.py": "import sdk\n"}, source=Linked())
    assert {one.path: one.reason for one in report.files}["b.py"] == "stays with a.py:6: it is special"


def test_run_suppression_on_a_header_leaves_the_workflow_alone(go):
    text = FLOW.format(name="a").replace("@workflow", "@workflow  # resonate-migrate: ignore[RM110] later")
    report = go({"a.py": text})
    assert (statuses(report), codes(report)) == ({"a.py": "unchanged"}, [])
    assert report.workflows[0].tier == "manual"


def test_run_suppressed_workflow_does_not_count_against_the_others(go):
    text = FLOW.format(name="a").replace("@workflow", "@workflow  # resonate-migrate: ignore[RM110] later")
    report = go({"a.py": text, "b.py": FLOW.format(name="b")})
    assert (statuses(report), codes(report)) == ({"a.py": "unchanged", "b.py": "rewritten"}, [])


def test_run_backed_out_group_does_not_count_against_the_others(go):
    class Broken(Tiny):
        def edit(self, job):
            super().edit(job)
            for unit in job.units():
                if unit.name == "bad":
                    job.file(unit.module, unit).insert_after(unit.node, "return 1 +", code="RM110")

    both = (
        FLOW.format(name="good") + "\n\n    @workflow\n    async def bad(x):\n        return await sdk.step(print, x)\n"
    )
    report = go({"both.py": both, "c.py": FLOW.format(name="c")}, source=Broken())
    assert {one.name: one.tier for one in report.workflows} == {"good": "idiomatic", "bad": "manual", "c": "idiomatic"}
    assert "def good(ctx" in report.files[0].new
    assert "async def bad" in report.files[0].new
    assert report.files[0].reason.startswith("the result would not compile")


def test_run_suppression_hides_a_finding_and_unused_ones_are_told(go):
    class Noting(Tiny):
        def edit(self, job):
            super().edit(job)
            for site in job.survey.sites:
                job.report(site.module, site.node, "RM502", "note", "a note")

    text = FLOW.format(name="a").replace("print, x)", "print, x)  # resonate-migrate: ignore[RM502] known")
    text += "\n    # resonate-migrate: ignore[RM999]\n    y = 1\n"
    report = go({"a.py": text}, source=Noting())
    assert codes(report) == ["RM007 a.py:9"]


def test_run_ignored_and_deselected_rules_leave_what_needs_them(go):
    files = {"a.py": FLOW.format(name="a")}
    for settings in ({"ignore": ("RM12",)}, {"select": ("RM110",)}):
        report = go(files, **settings)
        assert statuses(report) == {"a.py": "unchanged"}
        assert report.workflows[0].tier == "manual"
    assert statuses(go(files, select=("RM1",))) == {"a.py": "rewritten"}


def test_run_max_tier_leaves_what_needs_more(go):
    class Helping(Tiny):
        def survey(self, project):
            survey = super().survey(project)
            survey.units[0].need("helper", "RM143", survey.units[0].node)
            return survey

    files = {"a.py": FLOW.format(name="a")}
    assert go(files, source=Helping()).workflows[0].tier == "helper"
    assert go(files, source=Helping(), max_tier="idiomatic").workflows[0].tier == "manual"


def test_run_new_file_is_created_with_its_group_and_never_overwrites(go):
    class Creating(Tiny):
        def edit(self, job):
            super().edit(job)
            for unit in job.units():
                job.create_file("made.py", "x = 1\n", unit)

    files = {"a.py": FLOW.format(name="a")}
    report = go(files, source=Creating())
    assert statuses(report) == {"a.py": "rewritten", "made.py": "rewritten"}
    report = go({**files, "made.py": "mine = 1\n"}, source=Creating())
    assert statuses(report) == {"a.py": "unchanged", "made.py": "skipped"}
    assert "RM003 made.py:1" in codes(report)


def test_run_says_so_when_the_sdk_is_still_imported(go):
    text = FLOW.format(name="a") + "\n    print(sdk.other)\n"
    assert codes(go({"a.py": text})) == ["RM304 a.py:1"]


def test_run_says_duplicate_names_and_own_packages(go):
    report = go(
        {"a.py": FLOW.format(name="a"), "b.py": FLOW.format(name="a"), "src/compat/__init__.py": "", "migrate.py": ""}
    )
    assert codes(report) == ["RM011 b.py:6", "RM009 migrate.py:1", "RM009 src/compat/__init__.py:1"]


def test_run_mentions_manifests_and_containers(go):
    report = go({"a.py": FLOW.format(name="a"), "requirements.txt": "x\nsdk==1\n", "Dockerfile": "RUN sdk\n"})
    assert codes(report) == ["RM302 Dockerfile:1", "RM301 requirements.txt:2"]


def test_scan_gives_the_same_tiers_and_renders_nothing(go):
    report = go({"a.py": FLOW.format(name="a"), "b.py": "import os\n"}, command=scan)
    assert [(one.name, one.tier) for one in report.workflows] == [("a", "idiomatic")]
    assert report.changed == []


def test_run_is_the_same_with_one_and_with_several_processes(go, monkeypatch):
    monkeypatch.setattr("migrate.rewrite.parallel.PARALLEL_LINES_MIN", 1)
    files = {f"f{number}.py": FLOW.format(name=f"w{number}") for number in range(6)}
    one, several = go(files, jobs=1), go(files, jobs=3)
    assert [file.new for file in one.files] == [file.new for file in several.files]
    assert len(one.changed) == 6
