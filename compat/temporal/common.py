"""``temporalio.common``, unchanged."""

from __future__ import annotations

from temporalio.common import *  # noqa: F403 - the module mirrors another
