from __future__ import annotations

from datetime import UTC, datetime

import pytest

from compat.temporal.list_filter import FilterError, parse

FIELDS = {
    "WorkflowType": "Order",
    "WorkflowId": "order-1",
    "ExecutionStatus": "Running",
    "StartTime": datetime(2024, 5, 1, tzinfo=UTC),
    "Count": 3,
    "Tags": ["a", "b"],
}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "WorkflowType = 'Order'",
        'WorkflowType="Order" and ExecutionStatus != "Failed"',
        "ExecutionStatus IN ('Failed', 'Running')",
        "NOT (WorkflowType = 'X' OR Count > 5)",
        "StartTime > '2024-01-01T00:00:00Z' AND StartTime BETWEEN '2024-01-01' AND '2025-01-01' ORDER BY StartTime",
        "WorkflowId STARTS_WITH 'order-'",
        "`Count` >= 3 AND Tags = 'b' AND Missing IS NULL AND Count IS NOT NULL",
        "WorkflowId NOT IN ('a', 'it''s')",
    ],
)
def test_filter_that_fits_is_true(query: str) -> None:
    assert parse(query)(FIELDS)


@pytest.mark.parametrize("query", ["WorkflowType = 'X'", "Missing = 1", "Count < 3 OR Tags IN ('c')", "Count IS NULL"])
def test_filter_that_does_not_fit_is_false(query: str) -> None:
    assert not parse(query)(FIELDS)


@pytest.mark.parametrize("query", ["WorkflowType", "= 1", "a = ", "a = 'b' c", "a LIKE 'b'", "a = ;", "(a = 1"])
def test_filter_that_cannot_be_read_is_refused(query: str) -> None:
    with pytest.raises(FilterError, match="invalid query"):
        parse(query)
