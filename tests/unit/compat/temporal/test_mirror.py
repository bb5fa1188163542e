"""Every public name of the mirrored modules is there, and takes what the original takes."""

from __future__ import annotations

import importlib
import inspect

import pytest

MODULES = (
    "activity", "client", "common", "converter", "exceptions", "runtime", "service", "testing", "types", "worker",
    "workflow", "plugin", "envconfig", "nexus", "worker.workflow_sandbox", "contrib.pydantic", "api.common.v1",
)  # fmt: skip
REPLACED = (("client", "Client"), ("worker", "Worker"), ("testing", "WorkflowEnvironment"))


def public_names(module: str) -> list[str]:
    original = importlib.import_module(f"temporalio.{module}")
    listed = getattr(original, "__all__", None) or dir(original)
    return [name for name in listed if not name.startswith("_") and not inspect.ismodule(getattr(original, name))]


@pytest.mark.parametrize("module", MODULES)
def test_mirror_has_every_public_name_of_the_original(module: str) -> None:
    mirror = importlib.import_module(f"compat.temporal.{module}")
    assert [name for name in public_names(module) if not hasattr(mirror, name)] == []


@pytest.mark.parametrize("module", MODULES)
def test_mirror_gives_the_original_objects_but_for_what_resonate_replaces(module: str) -> None:
    original = importlib.import_module(f"temporalio.{module}")
    mirror = importlib.import_module(f"compat.temporal.{module}")
    different = {
        name
        for name in public_names(module)
        if getattr(mirror, name) is not getattr(original, name) and name not in ("annotations", "TYPE_CHECKING")
    }
    assert different <= {name for owner, name in REPLACED if owner == module}


@pytest.mark.parametrize(("module", "name"), REPLACED)
def test_replaced_class_takes_what_the_original_takes(module: str, name: str) -> None:
    original = getattr(importlib.import_module(f"temporalio.{module}"), name)
    mirror = getattr(importlib.import_module(f"compat.temporal.{module}"), name)
    assert issubclass(mirror, original)
    for attribute in ("__init__", *(item for item in dir(original) if not item.startswith("_"))):
        theirs, ours = getattr(original, attribute), getattr(mirror, attribute)
        if callable(theirs):
            assert inspect.signature(ours) == inspect.signature(theirs), attribute


def test_alias_leaves_the_original_module_as_it_was() -> None:
    original = importlib.import_module("temporalio.nexus")
    importlib.import_module("compat.temporal.nexus")
    assert original.__spec__ is not None
    assert original.__spec__.name == "temporalio.nexus"


def test_unknown_module_of_the_mirror_is_not_found() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"compat\.temporal\.nowhere"):
        importlib.import_module("compat.temporal.nowhere")
