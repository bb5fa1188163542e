"""``temporalio.converter``, unchanged."""

from __future__ import annotations

from temporalio.converter import *  # noqa: F403 - the module mirrors another
