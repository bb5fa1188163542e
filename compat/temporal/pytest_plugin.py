"""``pytest -p compat.temporal.pytest_plugin`` runs a project's own Temporal tests on Resonate, unmodified."""

from __future__ import annotations

from compat.temporal.swap import swap


def pytest_configure() -> None:
    """Swap temporalio for the shim before tests are collected."""
    swap()
