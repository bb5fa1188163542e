"""The error tree.

ResonateCoreError                    everything a caller may want to catch
├── UsageError                       the program is wrong; do not retry
│   ├── InvalidIdError
│   ├── NotRegisteredError
│   ├── AlreadyRegisteredError
│   └── NondeterminismError          recorded and yielded command differ
├── ProtocolError                    the server said no; carries kind, id, status
│   ├── NotFoundError                404
│   └── ConflictError                409
│       ├── AlreadyStartedError      if_exists="fail"
│       └── ExecutionClosedError     a message to a finished execution
├── TransportError                   no answer; safe to try again by id
├── StoreError                       local storage; carries path
│   ├── StoreBusyError               try again
│   └── StoreCorruptError            stop
├── CodecError                       a value cannot cross the boundary
│   ├── EncodeError
│   └── DecodeError
├── ExecutionError                   how a durable function or step ended
│   ├── ApplicationError             raised by users, with a stable type name
│   ├── RemoteError                  an error that could not be rebuilt here
│   ├── StepError, ChildError        wrappers, only where asked for
│   ├── StepTimeoutError             also a TimeoutError
│   ├── StepCrashedError             the step raised SystemExit or the like
│   ├── CanceledError                awaiting something that was canceled
│   └── TimedOutError                awaiting something whose deadline passed; also a TimeoutError
└── StoppedError                     the client was stopped while somebody waited

Cancelled, ContinueAsNew (BaseException)   thrown into a durable function at a yield
"""

from __future__ import annotations

from typing import Any


class ResonateCoreError(Exception):
    """Base of everything that this package raises on purpose."""


class UsageError(ResonateCoreError):
    """The program asks for something that cannot be; trying again will not help."""


class InvalidIdError(UsageError):
    """An id that a store or server refuses."""


class NotRegisteredError(UsageError):
    """A function that nobody registered here."""


class AlreadyRegisteredError(UsageError):
    """Two functions of one name and version."""


class NondeterminismError(UsageError):
    """Replay yields a command other than the recorded one."""

    def __init__(self, message: str, *, recorded: str | None = None, yielded: str | None = None) -> None:
        super().__init__(message)
        self.recorded = recorded
        self.yielded = yielded


class ProtocolError(ResonateCoreError):
    """The server refused a request.

    Attributes:
        kind: the request's kind.
        id: what it was about.
        status: the protocol's status code.
    """

    def __init__(self, message: str, *, kind: str = "", id: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.kind = kind
        self.id = id
        self.status = status


class NotFoundError(ProtocolError):
    """No such promise, task or schedule."""


class ConflictError(ProtocolError):
    """Something is not in the state that the request needs."""


class AlreadyStartedError(ConflictError):
    """An execution of this id exists, and the caller asked for a fresh one."""


class ExecutionClosedError(ConflictError):
    """A message was sent to an execution that has finished."""


class TransportError(ResonateCoreError):
    """No answer came; everything is idempotent by id, so trying again is safe."""


class StoreError(ResonateCoreError):
    """The local store failed.

    Attributes:
        path: the file, or ``memory:``.
    """

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class StoreBusyError(StoreError):
    """Somebody else holds the file; try again."""


class StoreCorruptError(StoreError):
    """The file is damaged or not ours."""


class CodecError(ResonateCoreError):
    """A value cannot be stored or read back."""


class EncodeError(CodecError):
    """A value has no stored form."""


class DecodeError(CodecError):
    """A stored form cannot become a value here."""


class ExecutionError(ResonateCoreError):
    """How a step or a durable function ended."""


class ApplicationError(ExecutionError):
    """An error of the application with a type name that survives renames of classes.

    Args:
        message: the text.
        details: further values; they are stored with the error.
        type: stable name, matched by ``Backoff(non_retryable=...)``.
        non_retryable: whether retrying is pointless.
        next_retry_delay: seconds until the next attempt, overriding the policy once.
    """

    def __init__(
        self,
        message: str = "",
        *details: Any,
        type: str | None = None,
        non_retryable: bool = False,
        next_retry_delay: float | None = None,
    ) -> None:
        super().__init__(message, *details)
        self.message = message
        self.details = details
        self.type = type
        self.non_retryable = non_retryable
        self.next_retry_delay = next_retry_delay

    def __str__(self) -> str:
        return self.message


class RemoteError(ExecutionError):
    """An error raised elsewhere whose class cannot be rebuilt here; ``type`` is its name."""

    def __init__(self, message: str = "", *, type: str | None = None) -> None:
        super().__init__(message)
        self.type = type


class StepError(ExecutionError):
    """A step failed, wrapped because ``errors="wrapped"`` asked for it; ``cause`` is the original."""

    def __init__(
        self,
        message: str = "",
        *,
        cause: BaseException | None = None,
        step: str = "",
        attempts: int = 0,
        retry_state: str = "",
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.step = step
        self.attempts = attempts
        self.retry_state = retry_state
        self.__cause__ = cause


class ChildError(ExecutionError):
    """A child execution failed, wrapped because ``errors="wrapped"`` asked for it; ``cause`` is the original."""

    def __init__(self, message: str = "", *, cause: BaseException | None = None, child: str = "") -> None:
        super().__init__(message)
        self.cause = cause
        self.child = child
        self.__cause__ = cause


class StepTimeoutError(ExecutionError, TimeoutError):
    """An attempt or a whole step took longer than allowed; ``kind`` says which limit."""

    def __init__(self, message: str = "", *, kind: str = "attempt") -> None:
        super().__init__(message)
        self.kind = kind


class StepCrashedError(ExecutionError):
    """A step raised what ends threads and processes (``SystemExit``, a stray cancellation); here it is an error."""

    def __init__(self, message: str = "", *, crash_type: str = "") -> None:
        super().__init__(message)
        self.crash_type = crash_type


class CanceledError(ExecutionError):
    """What was awaited has been canceled."""


class TimedOutError(ExecutionError, TimeoutError):
    """What was awaited has passed its deadline."""


class StoppedError(ResonateCoreError):
    """The client was stopped while a result was awaited; the execution itself goes on elsewhere."""


class Cancelled(BaseException):
    """Thrown into a durable function at its next yield when it is cancelled; clean-up may go on yielding."""


class ContinueAsNew(BaseException):
    """Leaves a durable function through its ``finally`` blocks; the execution goes on with new arguments."""

    def __init__(self, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.new_args = args
        self.new_kwargs = kwargs or {}
