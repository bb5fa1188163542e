"""Users and roles of DBOS on the shim."""

from __future__ import annotations

import pytest

from compat.dbos import DBOS, DBOSContextSetAuth, SetWorkflowAttributes, SetWorkflowID
from compat.dbos.error import DBOSNotAuthorizedError


@DBOS.step()
def seen() -> tuple[object, object, object]:
    return DBOS.authenticated_user, DBOS.authenticated_roles, DBOS.assumed_role


@DBOS.required_roles(["admin", "clerk"])
@DBOS.workflow()
def files() -> object:
    return [DBOS.authenticated_user, DBOS.assumed_role, seen()]


@DBOS.workflow()
@DBOS.required_roles(["clerk"])
def stamps() -> object:
    return DBOS.assumed_role


@DBOS.workflow()
def anybody() -> object:
    return DBOS.start_workflow(files).get_result()


@DBOS.default_required_roles(["clerk"])
class Office:
    @staticmethod
    @DBOS.workflow()
    def opens() -> object:
        return DBOS.assumed_role

    @staticmethod
    @DBOS.required_roles([])
    @DBOS.workflow()
    def is_asked() -> str:
        return "yes"


def test_function_without_roles_is_for_everybody(dbos):
    assert (DBOS.authenticated_user, Office.is_asked()) == (None, "yes")


@pytest.mark.parametrize("function", [files, stamps, Office.opens])
def test_caller_without_a_role_is_refused_before_anything_is_started(dbos, function):
    with pytest.raises(DBOSNotAuthorizedError, match="requires a role"):
        function()
    with DBOSContextSetAuth("eve", ["guest"]), pytest.raises(DBOSNotAuthorizedError, match="not authenticated"):
        DBOS.start_workflow(function)
    assert DBOS.list_workflows() == []


def test_user_and_role_travel_to_workflows_steps_and_children(dbos):
    with DBOSContextSetAuth("ann", ["clerk", "guest"]):
        assert files() == ["ann", "clerk", ("ann", ["clerk", "guest"], "clerk")]
        assert (stamps(), Office.opens()) == ("clerk", "clerk")
        with SetWorkflowID("parent"):
            assert anybody() == ["ann", "clerk", ("ann", ["clerk", "guest"], "clerk")]
    status = DBOS.get_workflow_status("parent-1")
    assert (status.authenticated_user, status.assumed_role) == ("ann", "clerk")
    assert DBOS.authenticated_user is None


def test_set_authentication_holds_from_then_on(dbos):
    with DBOSContextSetAuth(None, None):
        DBOS.set_authentication("bob", ["admin"])
        assert stamps.__wrapped__ is not None
        assert files()[:2] == ["bob", "admin"]


def test_attributes_stand_in_the_status(dbos):
    with SetWorkflowAttributes({"customer": "acme"}), SetWorkflowID("w"):
        Office.is_asked()
    assert DBOS.get_workflow_status("w").attributes == {"customer": "acme"}
