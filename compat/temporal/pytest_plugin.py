"""``pytest -p compat.temporal.pytest_plugin`` runs a project's own Temporal tests on Resonate, unmodified."""

from __future__ import annotations

from compat.temporal.swap import swap

swap()  # as soon as it is loaded: a project's conftest.py imports its names from temporalio before any hook runs
