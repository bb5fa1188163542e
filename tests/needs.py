"""Where the repository is, and one rule for what a machine lacks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NoReturn

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent


def missing(what: str) -> NoReturn:
    """End a test that lacks something: a visible skip on a laptop, a failure where CI says that all is there."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing; under CI that is a failure", pytrace=False)
    pytest.skip(f"{what} is missing")
