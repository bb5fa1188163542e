"""``temporalio.types``, unchanged."""

from __future__ import annotations

from temporalio.types import *  # noqa: F403 - the module mirrors another
