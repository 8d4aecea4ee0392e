# SPDX-License-Identifier: Apache-2.0
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import instants
from pedchain_domain.limits import LATEST_INSTANT
from pedchain_domain.reasons import DomainError, Reason


@given(st.dates(datetime.date(1970, 1, 1)))
def test_days_agree_with_the_proleptic_gregorian_calendar(day: datetime.date) -> None:
    number = day.toordinal() - datetime.date(1970, 1, 1).toordinal()
    assert instants.parse_day(day.isoformat()) == number
    assert instants.format_day(number) == day.isoformat()


@given(st.integers(0, LATEST_INSTANT), st.sampled_from("UISR"))
def test_an_ocmf_time_reads_back(instant: int, state: str) -> None:
    text = instants.format_ocmf(instant, state)
    assert instants.parse_ocmf(text) == (instant, state)
    seconds = datetime.timedelta(seconds=instant)
    moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + seconds
    assert text == f"{moment:%Y-%m-%dT%H:%M:%S},000+0000 {state}".rjust(len(text), "0")


def test_the_offset_is_subtracted() -> None:
    assert instants.parse_ocmf("1970-01-01T01:01:49,000+0100 U") == (109, "U")
    assert instants.parse_ocmf("2026-03-29T03:00:00,999+0200 S").instant == 1774746000
    assert instants.parse_ocmf("1970-01-01T00:00:00,000-0130 S").instant == 5400


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T00:00:00,000+0000 S",
        "2026-01-01T00:00:60,000+0000 S",
        "2026-01-01T24:00:00,000+0000 S",
        "2026-01-01T00:60:00,000+0000 S",
        "2026-13-01T00:00:00,000+0000 S",
        "2026-00-01T00:00:00,000+0000 S",
        "2026-01-01T00:00:00,000+0060 S",
        "2026-01-01T00:00:00.000+0000 S",
        "2026-01-01T00:00:00,000Z S",
        "2026-01-01T00:00:00,000+0000",
        "2026-01-01T00:00:00,000+0000 s",
        "2026-01-01T00:00:00,000+0000 S\n",
        "1969-12-31T23:59:59,000+0000 S",
        "1970-01-01T00:00:00,000+0100 S",
        "２026-01-01T00:00:00,000+0000 S",
    ],
)
def test_any_other_spelling_is_no_time(text: str) -> None:
    with pytest.raises(DomainError) as caught:
        instants.parse_ocmf(text)
    assert caught.value.reason == Reason.MALFORMED_TIME
