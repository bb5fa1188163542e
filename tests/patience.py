"""Starts of programs that the kernel refuses for a moment.

Of thousands of programs that several threads of a test run start, one was refused with EFAULT: the kernel could not
read the page with the program's name at that moment. It is no fault of the program, and the same start works later.
"""

from __future__ import annotations

import errno
import subprocess
import time
from typing import Any, Final

_STARTS: Final = 5
_PAUSE_SECONDS: Final = 0.1
_plain: Final = subprocess.Popen.__init__


def _started(process: subprocess.Popen[Any], *args: Any, **kwargs: Any) -> None:
    for _ in range(_STARTS - 1):
        try:
            _plain(process, *args, **kwargs)
        except OSError as error:
            if error.errno != errno.EFAULT:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
    _plain(process, *args, **kwargs)


def start_patiently() -> None:
    """Let every ``subprocess`` of this process try again."""
    subprocess.Popen.__init__ = _started  # type: ignore[method-assign]
