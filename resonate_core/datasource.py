"""``SQLAlchemyDatasource``: transactions of the application's own database that happen once.

A step alone happens at least once: a process may die after the step's commit and before its record. A transaction is a
step that writes a marker row, with its result, together with the application's rows. When it comes again, in this or
another process, it finds the row and gives what that says, and the application's rows are not written twice.

The row's key is the id of the step's durable promise. SQLAlchemy is the program's own; it is imported when a datasource
is made. Results are kept as the runtime keeps values, in plain text, beside the rows that they are about.
"""

from __future__ import annotations

import functools
import inspect
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from resonate_core.codec import Codec
from resonate_core.errors import UsageError
from resonate_core.marks import step
from resonate_core.protocol.records import Value
from resonate_core.step_context import in_step, step_info

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

T = TypeVar("T")

_TABLE: Final = "resonate_transaction_outputs"
#: A database refuses a transaction for another one's sake a few times at the most.
_ATTEMPTS: Final = 10
_SERIALIZATION_FAILURES: Final = ("40001", "40P01")
_session: Final[ContextVar[Any]] = ContextVar("resonate_session", default=None)
_codec: Final = Codec()


class SQLAlchemyDatasource:
    """A database of the application's.

    Args:
        engine: of SQLAlchemy, not async.
        schema: where the table of the markers is.
        sessionmaker: makes the sessions; SQLAlchemy's ``Session`` if left out.
        run_migrations: make the table of the markers now, if it is missing.
    """

    def __init__(
        self, engine: Any, *, schema: str | None = None, sessionmaker: Any = None, run_migrations: bool = True
    ) -> None:
        import sqlalchemy as sa  # noqa: PLC0415 - only programs with a datasource have it
        import sqlalchemy.orm  # noqa: PLC0415 - the same

        self.engine = engine
        self._sessionmaker = sessionmaker or sa.orm.Session
        columns: list[Any] = [
            sa.Column("step_id", sa.String(512), primary_key=True),
            sa.Column("output", sa.Text, nullable=False),
        ]
        self._table = sa.Table(_TABLE, sa.MetaData(), *columns, schema=schema)
        if run_migrations:
            self.run_migrations()

    @classmethod
    def create(
        cls,
        database_url: str,
        engine_kwargs: dict[str, Any] | None = None,
        engine: Any = None,
        schema: str | None = None,
        *,
        sessionmaker: Any = None,
        run_migrations: bool = True,
    ) -> Self:
        """Open a database by its URL, or take an engine that is there."""
        import sqlalchemy as sa  # noqa: PLC0415 - only programs with a datasource have it

        found = sa.create_engine(database_url, **(engine_kwargs or {})) if engine is None else engine
        return cls(found, schema=schema, sessionmaker=sessionmaker, run_migrations=run_migrations)

    def run_migrations(self) -> None:
        """Make the table of the markers, if it is missing."""
        self._table.metadata.create_all(self.engine, checkfirst=True)

    def sql_session(self) -> Any:
        """Return the session of the transaction that runs.

        Raises:
            UsageError: none does.
        """
        found = _session.get()
        if found is None:
            raise UsageError("sql_session works in a transaction only: mark the function with transaction()")
        return found

    def transaction(
        self, function: Any = None, *, name: str | None = None, isolation_level: str = "SERIALIZABLE"
    ) -> Any:
        """Mark a plain function as a step that is one transaction: ``yield ctx.run(function, ...)``.

        Called anywhere else it is a plain transaction.

        Args:
            function: what is marked, where the mark is used without a call.
            name: registered name; the function's own name if left out.
            isolation_level: as SQLAlchemy says it; SQLite has one.

        Raises:
            UsageError: the function is async.
        """
        options = {"isolation_level": isolation_level}

        def mark(function: Callable[..., T]) -> Callable[..., T]:
            if inspect.iscoroutinefunction(function):
                raise UsageError(f"transaction {function.__name__} is async, and its engine is not; make it plain")

            @functools.wraps(function)
            def transacted(*args: Any, **kwargs: Any) -> T:
                return self.run_tx_step(options, function, *args, **kwargs)

            return step(name=name)(transacted)

        return mark if function is None else mark(function)

    @step()
    def run_tx_step(
        self, options: Mapping[str, Any] | None, function: Callable[..., T], /, *args: Any, **kwargs: Any
    ) -> T:
        """Run any function in a transaction; in a workflow ``yield ctx.run(datasource.run_tx_step, {}, function)``.

        Args:
            options: ``isolation_level``; a ``name`` says nothing here, the record has that of this method.
            function: what runs.
            args: for the function.
            kwargs: for the function.

        Raises:
            UsageError: another option, or the caller is in a transaction already.
        """
        unknown = sorted(set(options or {}) - {"name", "isolation_level"})
        if unknown:
            raise UsageError(f"unknown option {unknown[0]!r} of a transaction; known are: isolation_level, name")
        if _session.get() is not None:
            raise UsageError(f"transaction {getattr(function, '__name__', function)} is called in another transaction")
        key = step_info().id if in_step() else None
        level = (options or {}).get("isolation_level", "SERIALIZABLE")
        value: T = self.run_once(key, functools.partial(function, *args, **kwargs), level)
        return value

    def run_once(self, key: str | None, work: Callable[[], Any], isolation_level: str = "SERIALIZABLE") -> Any:
        """Run something in a transaction, once for each key.

        Args:
            key: of the marker row; None writes none.
            work: is called with the session set, again if the database refuses its transaction for another one's sake.
            isolation_level: as SQLAlchemy says it; SQLite has one.
        """
        import sqlalchemy.exc  # noqa: PLC0415 - only programs with a datasource have it

        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._transacted(key, work, isolation_level)
            except sqlalchemy.exc.DBAPIError as error:
                is_marked = key is not None and self._marker(key) is not None  # another process was faster
                state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
                if attempt == _ATTEMPTS or not (is_marked or state in _SERIALIZATION_FAILURES):
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _transacted(self, key: str | None, work: Callable[[], Any], isolation_level: str) -> Any:
        if key is not None and (found := self._marker(key)) is not None:
            return _codec.decode_value(msgspec.json.decode(found, type=Value))
        engine = self.engine
        if engine.dialect.name != "sqlite":
            engine = engine.execution_options(isolation_level=isolation_level)
        with self._sessionmaker(bind=engine) as session, session.begin():
            token = _session.set(session)
            try:
                value = work()
            finally:
                _session.reset(token)
            if key is not None:
                output = msgspec.json.encode(_codec.encode_value(value)).decode()
                session.execute(self._table.insert().values(step_id=key, output=output))
        return value

    def _marker(self, key: str) -> str | None:
        import sqlalchemy as sa  # noqa: PLC0415 - only programs with a datasource have it

        wanted = sa.select(self._table.c.output).where(self._table.c.step_id == key)
        with self.engine.connect() as connection:
            found: str | None = connection.execute(wanted).scalar()
        return found


def current_session() -> Any:
    """Return the session of the transaction that runs, None if none does."""
    return _session.get()
