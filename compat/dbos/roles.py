"""Who acts: users and roles, which travel with the workflows that they start, and functions that ask for a role."""

from __future__ import annotations

import functools
import inspect
import json
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from compat.dbos.error import DBOSNotAuthorizedError
from compat.dbos.statuses import TAG_AUTH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextvars import Token
    from types import TracebackType

F = TypeVar("F", bound="Callable[..., Any]")
T = TypeVar("T")
_ATTRIBUTE: Final = "__dbos_roles__"
#: What ``default_required_roles`` says of classes, by their qualified names.
_of_classes: Final[dict[str, Sequence[str]]] = {}


@dataclass(frozen=True)
class Auth:
    """A user, all roles that the user has, and the one under which the caller acts."""

    user: str | None = None
    roles: tuple[str, ...] | None = None
    assumed: str | None = None


auth_here: Final[ContextVar[Auth]] = ContextVar("dbos_auth", default=Auth())  # noqa: B039 - it is frozen


class DBOSContextEnsure:
    """Accepted: there is always a context."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class DBOSContextSetAuth(DBOSContextEnsure):
    """Act as a user in the block."""

    def __init__(self, user: str | None, roles: list[str] | None) -> None:
        self._auth = Auth(user, None if roles is None else tuple(roles))
        self._token: Token[Auth] | None = None

    def __enter__(self) -> Self:
        self._token = auth_here.set(self._auth)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            auth_here.reset(self._token)


def set_authentication(authenticated_user: str | None, authenticated_roles: list[str] | None) -> None:
    """Act as a user from now on, in this context."""
    roles = None if authenticated_roles is None else tuple(authenticated_roles)
    auth_here.set(replace(auth_here.get(), user=authenticated_user, roles=roles))


def required_roles(roles: list[str]) -> Callable[[F], F]:
    """Let a function be called by those who have one of some roles."""

    def decorate(function: F) -> F:
        setattr(inspect.unwrap(function), _ATTRIBUTE, tuple(roles))

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            token = auth_here.set(replace(auth_here.get(), assumed=role_for(function)))
            try:
                return function(*args, **kwargs)
            finally:
                auth_here.reset(token)

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            token = auth_here.set(replace(auth_here.get(), assumed=role_for(function)))
            try:
                return await function(*args, **kwargs)
            finally:
                auth_here.reset(token)

        return awaited if inspect.iscoroutinefunction(function) else called  # type: ignore[return-value]

    return decorate


def default_required_roles(roles: list[str]) -> Callable[[type[T]], type[T]]:
    """Do so for all functions of a class that name no roles themselves."""

    def decorate(cls: type[T]) -> type[T]:
        _of_classes[cls.__qualname__] = tuple(roles)
        return cls

    return decorate


def role_for(function: Callable[..., Any]) -> str | None:
    """Return the role under which the caller may call a function, None where it asks for none.

    Raises:
        DBOSNotAuthorizedError: the caller has none of the roles.
    """
    plain = inspect.unwrap(function)
    wanted = getattr(plain, _ATTRIBUTE, None)
    name = getattr(plain, "__qualname__", repr(plain))
    if wanted is None:
        wanted = _of_classes.get(name.rpartition(".")[0])
    if not wanted:
        return None
    roles = auth_here.get().roles
    if roles is None:
        raise DBOSNotAuthorizedError(
            f"Function {name} requires a role, but was called in a context without authentication information"
        )
    for role in wanted:
        if role in roles:
            return str(role)
    raise DBOSNotAuthorizedError(
        f"Function {name} has required roles, but user is not authenticated for any of them"
    )


def auth_tags(function: Callable[..., Any]) -> dict[str, str]:
    """Return the tags with which the caller's identity goes to a workflow.

    Raises:
        DBOSNotAuthorizedError: the caller must not start it.
    """
    found = replace(auth_here.get(), assumed=role_for(function))
    if found == Auth():
        return {}
    return {TAG_AUTH: json.dumps({"user": found.user, "roles": found.roles, "assumed": found.assumed})}


def auth_of(tags: Mapping[str, str]) -> Auth:
    """Return the identity that a workflow acts with."""
    found = json.loads(tags.get(TAG_AUTH, "{}"))
    roles = found.get("roles")
    return Auth(found.get("user"), None if roles is None else tuple(roles), found.get("assumed"))
