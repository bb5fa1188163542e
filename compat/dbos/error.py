"""DBOS's error classes, by its names."""

from __future__ import annotations

from typing import Any


class DBOSBaseException(BaseException):
    """Base of what interrupts a workflow and is not meant to be caught."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class DBOSException(Exception):  # noqa: N818 - its name in DBOS
    """Base of DBOS's errors."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> Any:
        return (type(self), (self.message,))


class DBOSInitializationError(DBOSException):
    """The library is not configured or launched as it must be."""


class DBOSNonExistentWorkflowError(DBOSException):
    """There is no workflow of this id."""


class DBOSConflictingWorkflowError(DBOSException):
    """The id belongs to another function."""


class DBOSWorkflowFunctionNotFoundError(DBOSException):
    """No function of this name is registered."""


class DBOSMaxStepRetriesExceeded(DBOSException):
    """All attempts of a step have failed.

    Attributes:
        errors: what each attempt raised.
    """

    def __init__(self, message: str = "", errors: list[Exception] | None = None) -> None:
        super().__init__(message)
        self.errors = errors or []

    def __reduce__(self) -> Any:
        return (type(self), (self.message, self.errors))


class DBOSAwaitedWorkflowCancelledError(DBOSException):
    """The workflow whose result was asked for has been cancelled."""


class DBOSUnexpectedStepError(DBOSException):
    """The recorded step is not the one that the code calls."""


class DBOSQueueDeduplicatedError(DBOSException):
    """A workflow with this deduplication id is queued already."""


class DBOSNotAuthorizedError(DBOSException):
    """The caller lacks a role."""


class DBOSWorkflowCancelledError(DBOSBaseException):
    """Raised at the next durable call of a workflow that was cancelled."""


class MaxRecoveryAttemptsExceededError(DBOSException):
    """DBOS gives up what crashed too often; executions here do not count."""


class DBOSAwaitedWorkflowMaxRecoveryAttemptsExceeded(DBOSException):
    """The workflow whose result was asked for was given up."""


class DBOSRecoveryError(DBOSException):
    """Recovery has failed."""


class DBOSStepTimeoutError(DBOSException):
    """A step took too long."""


class DBOSStepNondeterminismError(DBOSException):
    """The recorded step is not the one that the code calls."""


class DBOSPatchNondeterminismError(DBOSException):
    """Patches have come in another order."""


class DBOSQueryTimeoutError(DBOSException):
    """A look at the store took too long."""


class DBOSStreamTimeoutError(DBOSException):
    """A stream had nothing new in time."""


class DBOSStreamNondeterminismError(DBOSException):
    """A stream was read in another order."""


class DBOSWorkflowIDInUseError(DBOSException):
    """The id belongs to another workflow."""


class DBOSWorkflowConflictIDError(DBOSBaseException):
    """The id belongs to another workflow."""


class DBOSConflictingRegistrationError(DBOSException):
    """Two functions have one name."""
