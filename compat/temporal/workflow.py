"""``temporalio.workflow``, unchanged."""

from __future__ import annotations

from temporalio.workflow import *  # noqa: F403 - the module mirrors another
