"""Durable execution for Python: generator functions, durable promises, one file or a Resonate Server."""

from __future__ import annotations

from resonate_core.client.describe import Description
from resonate_core.client.driving import DriverHost
from resonate_core.client.function import Function
from resonate_core.client.handle import Handle
from resonate_core.client.resonate import Resonate
from resonate_core.codec import AesGcmEncryptor, Encryptor
from resonate_core.context import Context
from resonate_core.datasource import SQLAlchemyDatasource, current_session
from resonate_core.driver import Driver, Event, driver
from resonate_core.errors import (
    AlreadyRegisteredError,
    AlreadyStartedError,
    ApplicationError,
    CanceledError,
    Cancelled,
    ChildError,
    CodecError,
    ConflictError,
    ContinueAsNew,
    DecodeError,
    EncodeError,
    ExecutionClosedError,
    ExecutionError,
    InvalidIdError,
    NondeterminismError,
    NotFoundError,
    NotRegisteredError,
    ProtocolError,
    RemoteError,
    ResonateCoreError,
    StepCrashedError,
    StepError,
    StepTimeoutError,
    StoppedError,
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    TimedOutError,
    TransportError,
    UsageError,
)
from resonate_core.marks import (
    all_marked,
    durable,
    durable_mark,
    entry,
    handler_mark,
    handlers_of,
    query,
    signal,
    step,
    step_mark,
    update,
)
from resonate_core.mutex import Mutex
from resonate_core.protocol.records import PromiseRecord
from resonate_core.queues.claims import claim_place
from resonate_core.queues.queue import Queue, QueuePlace, declare_limits, declared_limits, turn_id
from resonate_core.recurring import Cron
from resonate_core.retry import Backoff, Constant, Exponential, Linear, Never
from resonate_core.scheduler.promises import Promise
from resonate_core.step_context import StepInfo, heartbeat, in_step, step_info, step_logger, step_scope

__all__ = [
    "AesGcmEncryptor",
    "AlreadyRegisteredError",
    "AlreadyStartedError",
    "ApplicationError",
    "Backoff",
    "CanceledError",
    "Cancelled",
    "ChildError",
    "CodecError",
    "ConflictError",
    "Constant",
    "Context",
    "ContinueAsNew",
    "Cron",
    "DecodeError",
    "Description",
    "Driver",
    "DriverHost",
    "EncodeError",
    "Encryptor",
    "Event",
    "ExecutionClosedError",
    "ExecutionError",
    "Exponential",
    "Function",
    "Handle",
    "InvalidIdError",
    "Linear",
    "Mutex",
    "Never",
    "NondeterminismError",
    "NotFoundError",
    "NotRegisteredError",
    "Promise",
    "PromiseRecord",
    "ProtocolError",
    "Queue",
    "QueuePlace",
    "RemoteError",
    "Resonate",
    "ResonateCoreError",
    "SQLAlchemyDatasource",
    "StepCrashedError",
    "StepError",
    "StepInfo",
    "StepTimeoutError",
    "StoppedError",
    "StoreBusyError",
    "StoreCorruptError",
    "StoreError",
    "TimedOutError",
    "TransportError",
    "UsageError",
    "all_marked",
    "claim_place",
    "current_session",
    "declare_limits",
    "declared_limits",
    "driver",
    "durable",
    "durable_mark",
    "entry",
    "handler_mark",
    "handlers_of",
    "heartbeat",
    "in_step",
    "query",
    "signal",
    "step",
    "step_info",
    "step_logger",
    "step_mark",
    "step_scope",
    "turn_id",
    "update",
]
