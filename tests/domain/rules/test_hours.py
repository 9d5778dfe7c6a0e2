"""Working hours (I3): 09:00–17:00 where the person is, whatever the clocks do."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rules.hours import WORKING, zone

STOCKHOLM, NEW_YORK, SYDNEY = "Europe/Stockholm", "America/New_York", "Australia/Sydney"
ZONES = [STOCKHOLM, NEW_YORK, SYDNEY, "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - st adds the zone


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("tz", "moment", "then"),
    [
        (STOCKHOLM, "2026-03-28T17:00", "2026-03-29T07:00"),  # the night the clocks go forward
        (STOCKHOLM, "2026-03-29T06:59", "2026-03-29T07:00"),
        (STOCKHOLM, "2026-03-29T07:00", "2026-03-29T07:00"),
        (STOCKHOLM, "2026-03-27T17:00", "2026-03-28T08:00"),
        (STOCKHOLM, "2026-10-24T16:00", "2026-10-25T08:00"),  # the night they go back
        (STOCKHOLM, "2026-10-25T00:30", "2026-10-25T08:00"),  # 02:30, for the first time
        (STOCKHOLM, "2026-10-25T01:30", "2026-10-25T08:00"),  # and for the second
        (STOCKHOLM, "2026-10-25T15:59:59", "2026-10-25T15:59:59"),
        (STOCKHOLM, "2026-10-25T16:00", "2026-10-26T08:00"),
        (NEW_YORK, "2026-03-08T02:00", "2026-03-08T13:00"),
        (NEW_YORK, "2026-03-07T22:00", "2026-03-08T13:00"),
        (NEW_YORK, "2026-03-06T22:00", "2026-03-07T14:00"),
        (NEW_YORK, "2026-11-01T05:30", "2026-11-01T14:00"),
        (NEW_YORK, "2026-10-31T21:00", "2026-11-01T14:00"),
        (SYDNEY, "2026-04-04T15:30", "2026-04-04T23:00"),  # the clocks go back on 5 April there
        (SYDNEY, "2026-04-04T06:00", "2026-04-04T23:00"),
        (SYDNEY, "2026-10-03T07:00", "2026-10-03T22:00"),  # and forward on 4 October
        (SYDNEY, "2026-10-02T07:00", "2026-10-02T23:00"),
    ],
)
def test_I3_the_opening_is_at_nine_there_also_when_the_clocks_change(tz: str, moment: str, then: str) -> None:
    assert WORKING.moment(utc(moment), tz) == utc(then)


@given(moment=MOMENTS, tz=st.sampled_from(ZONES))
def test_I3_never_outside_hours_never_in_the_past_and_never_more_than_a_day_off(moment: datetime, tz: str) -> None:
    found = WORKING.moment(moment, tz)
    here = found.astimezone(ZoneInfo(tz))
    assert time(9) <= here.time() < time(17)
    assert moment <= found <= moment + timedelta(hours=17)
    assert found.utcoffset() == timedelta(0)


@given(moment=MOMENTS, tz=st.sampled_from(ZONES))
def test_I3_a_moment_within_hours_is_kept_and_asking_again_changes_nothing(moment: datetime, tz: str) -> None:
    found = WORKING.moment(moment, tz)
    assert WORKING.moment(found, tz) == found
    if time(9) <= moment.astimezone(ZoneInfo(tz)).time() < time(17):
        assert found == moment


@given(moment=MOMENTS, later=st.timedeltas(timedelta(0), timedelta(days=3)), tz=st.sampled_from(ZONES))
def test_I3_what_is_due_later_is_never_told_sooner(moment: datetime, later: timedelta, tz: str) -> None:
    assert WORKING.moment(moment, tz) <= WORKING.moment(moment + later, tz)


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "Europe", "a\x00b", "Europe/Stockholm\n"]
)
def test_a_zone_nobody_knows_is_utc(name: str) -> None:
    assert zone(name) == ZoneInfo("UTC")


@given(name=st.text(max_size=40))
def test_whatever_slack_calls_a_zone_there_is_one(name: str) -> None:
    assert isinstance(zone(name), ZoneInfo)
