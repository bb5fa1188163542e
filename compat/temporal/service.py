"""``temporalio.service``, unchanged."""

from __future__ import annotations

from temporalio.service import *  # noqa: F403 - the module mirrors another
