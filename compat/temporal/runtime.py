"""``temporalio.runtime``, unchanged."""

from __future__ import annotations

from temporalio.runtime import *  # noqa: F403 - the module mirrors another
