"""``temporalio.envconfig``, unchanged."""

from __future__ import annotations

from temporalio.envconfig import *  # noqa: F403 - the module mirrors another
