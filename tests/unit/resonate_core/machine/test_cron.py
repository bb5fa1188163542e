import pytest

from resonate_core.limits import INSTANT_MAX_MS
from resonate_core.machine.cron import canonical, next_instant
from resonate_core.machine.refusal import RefusedError

DAY = 86_400_000


@pytest.mark.parametrize(
    ("expression", "expanded"),
    [
        ("* * * * *", "0 * * * * *"),
        ("*/20 * * * * *", "0,20,40 * * * * *"),
        ("0 0 9 ? * MON-wed", "0 0 9 * * 1,2,3"),
        ("0 0 * * 1,7", "0 0 0 * * 0,6"),
        ("5/30 1-3 * jan,MARCH *", "0 5,35 1,2,3 * 1,3 *"),
        ("0 0 0 1 1 * 2030-2031", "0 0 0 1 1 * 2030,2031"),
        (" @Daily ", "0 0 0 * * *"),
    ],
)
def test_canonical_expression_is_spelled_out(expression, expanded):
    assert canonical(expression) == expanded


@pytest.mark.parametrize(
    ("expression", "culprit"),
    [("61 * * * *", "minute"), ("* * * * 0", "day of week"), ("* * 32 * *", "day of month"), ("* * * foo *", "month")],
)
def test_canonical_bad_field_is_named(expression, culprit):
    with pytest.raises(RefusedError, match=culprit):
        canonical(expression)


def test_canonical_wrong_number_of_fields_says_what_is_expected():
    with pytest.raises(RefusedError, match="has 4 fields; expected 5, 6"):
        canonical("* * * *")


def test_next_instant_on_the_instant_is_the_one_after():
    assert next_instant("0 0 * * *", DAY) == 2 * DAY


def test_next_instant_between_milliseconds_is_not_skipped():
    assert next_instant("* * * * * *", 1_999) == 2_000


def test_next_instant_day_of_month_and_week_must_both_match():
    assert next_instant("0 0 13 * FRI", 0) == 43 * DAY  # 13 February 1970


def test_next_instant_that_never_comes_is_the_end_of_time():
    assert next_instant("0 0 0 1 1 * 1971", 400 * DAY) == INSTANT_MAX_MS


def test_next_instant_29_february_skips_common_years():
    assert next_instant("0 0 29 2 *", 0) == (2 * 365 + 31 + 28) * DAY


def test_next_instant_of_a_year_of_hours_is_strictly_ascending():
    instants, now = [], 0
    for _ in range(50):
        now = next_instant("0 */7 * * *", now)
        instants.append(now)
    assert instants == sorted(set(instants))
    assert {instant // 3_600_000 % 24 for instant in instants} == {0, 7, 14, 21}
