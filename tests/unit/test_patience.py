"""A start that the kernel refuses for a moment is made again; any other refusal is not."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest

from tests import patience


@pytest.fixture
def refusals(monkeypatch):
    left = []
    plain = patience._plain

    def start(process, *args, **kwargs):
        if left:
            raise OSError(left.pop(), "refused")
        plain(process, *args, **kwargs)

    monkeypatch.setattr(patience, "_plain", start)
    monkeypatch.setattr(patience.time, "sleep", lambda _: None)
    return left


def test_start_refused_with_a_bad_address_is_made_again(refusals):
    refusals += [errno.EFAULT] * 4
    done = subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


@pytest.mark.parametrize("codes", [[errno.EFAULT] * 5, [errno.ENOENT]])
def test_other_refusals_and_lasting_ones_are_raised(refusals, codes):
    refusals += codes
    with pytest.raises(OSError, match="refused"):
        subprocess.run([sys.executable, "-c", ""], check=False)
