"""Rules as text: what is read, what is refused by the name of its part, and how a rule is written; no database."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.recurrence import Frequency, Rule, Weekday
from core.tests.support.properties import many

LONG = "FREQ=MONTHLY;COUNT=3;BYMONTHDAY=" + ",".join(["1"] * 5000)
assert len(LONG) > 10_000


def test_a_rule_with_all_parts_is_read() -> None:
    text = "FREQ=YEARLY;INTERVAL=2;COUNT=9;BYDAY=MO,1TU,-1FR;BYMONTHDAY=1,-1;BYMONTH=3,9;BYSETPOS=2,-2;WKST=SU"

    assert Rule.parse(text) == Rule(
        freq=Frequency.YEARLY,
        interval=2,
        count=9,
        byday=(Weekday(0, 0), Weekday(1, 1), Weekday(-1, 4)),
        bymonthday=(1, -1),
        bymonth=(3, 9),
        bysetpos=(2, -2),
        wkst=6,
    )


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("20270630", date(2027, 6, 30)),
        ("20270630T093000", datetime(2027, 6, 30, 9, 30)),  # noqa: DTZ001 - a local time
        ("20270630T073000Z", datetime(2027, 6, 30, 7, 30, tzinfo=UTC)),
    ],
)
def test_until_is_a_day_or_a_local_time_or_one_in_utc(text: str, until: date) -> None:
    rule = Rule.parse(f"FREQ=DAILY;UNTIL={text}")

    assert rule.until == until
    assert type(rule.until) is type(until)
    assert str(rule) == f"FREQ=DAILY;UNTIL={text}"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("rrule:freq=daily;count=3", "FREQ=DAILY;COUNT=3"),
        (" RRULE:COUNT=3;FREQ=DAILY\n", "FREQ=DAILY;COUNT=3"),
        ("COUNT=03;INTERVAL=01;FREQ=WEEKLY;WKST=MO", "FREQ=WEEKLY;COUNT=3"),
        ("FREQ=WEEKLY;COUNT=3;BYDAY=WE,MO,WE", "FREQ=WEEKLY;COUNT=3;BYDAY=MO,WE"),
        ("FREQ=MONTHLY;BYDAY=-1FR,+1MO,2MO,SU;COUNT=3", "FREQ=MONTHLY;COUNT=3;BYDAY=SU,1MO,2MO,-1FR"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1,15,01;COUNT=3", "FREQ=MONTHLY;COUNT=3;BYMONTHDAY=1,15,-1"),
        ("FREQ=YEARLY;UNTIL=10000101;BYDAY=53MO", "FREQ=YEARLY;UNTIL=10000101;BYDAY=53MO"),
        ("FREQ=YEARLY;UNTIL=00010101T000000Z", "FREQ=YEARLY;UNTIL=00010101T000000Z"),
        ("FREQ=DAILY;COUNT=3;WKST=SU", "FREQ=DAILY;COUNT=3;WKST=SU"),
    ],
)
def test_a_rule_is_written_in_one_form(text: str, written: str) -> None:
    assert str(Rule.parse(text)) == written
    assert str(Rule.parse(written)) == written


@pytest.mark.parametrize(
    ("text", "part", "words"),
    [
        ("", "RRULE", "NAME=VALUE"),
        ("RRULE:", "RRULE", "NAME=VALUE"),
        ("every Monday", "RRULE", "NAME=VALUE"),
        ("FREQ=DAILY;COUNT=3;", "RRULE", "NAME=VALUE"),
        ("FREQ=DAILY;COUNT=3;<b>=1", "RRULE", "NAME=VALUE"),
        ("FREQ=DAILY;COUNT=3\nRRULE:FREQ=DAILY", "COUNT", "whole number from 1"),
        ("FREQ=DAILY;COUNT=3\x00", "COUNT", "whole number from 1"),
        ("FREQ=DA\u0131LY;COUNT=3", "RRULE", "letters"),
        (LONG, "RRULE", "500 characters"),
        ("COUNT=3", "FREQ", "missing"),
        ("FREQ=;COUNT=3", "FREQ", "DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=SECONDLY;COUNT=3", "FREQ", "DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=MINUTELY;COUNT=3", "FREQ", "DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=HOURLY;COUNT=3", "FREQ", "DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=DAILY,WEEKLY;COUNT=3", "FREQ", "DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=DAILY", "COUNT", "or UNTIL is missing"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270630", "UNTIL", "one end"),
        ("FREQ=DAILY;COUNT=3;COUNT=3", "COUNT", "twice"),
        ("FREQ=DAILY;COUNT=0", "COUNT", "whole number from 1"),
        ("FREQ=DAILY;COUNT=-3", "COUNT", "whole number from 1"),
        ("FREQ=DAILY;COUNT=1.5", "COUNT", "whole number from 1"),
        ("FREQ=DAILY;COUNT=" + "9" * 400, "COUNT", "whole number from 1"),
        ("FREQ=DAILY;COUNT=\u0663", "RRULE", "letters"),
        ("FREQ=DAILY;COUNT=3;INTERVAL=0", "INTERVAL", "1 to 9999"),
        ("FREQ=DAILY;COUNT=3;INTERVAL=10000", "INTERVAL", "1 to 9999"),
        ("FREQ=DAILY;UNTIL=20270229", "UNTIL", "date or a time"),
        ("FREQ=DAILY;UNTIL=00000101", "UNTIL", "date or a time"),
        ("FREQ=DAILY;UNTIL=2027-06-30", "UNTIL", "date or a time"),
        ("FREQ=DAILY;UNTIL=20270630T240000Z", "UNTIL", "date or a time"),
        ("FREQ=DAILY;UNTIL=", "UNTIL", "date or a time"),
        ("FREQ=DAILY;COUNT=3;BYDAY=", "BYDAY", "weekdays such as MO"),
        ("FREQ=DAILY;COUNT=3;BYDAY=MON", "BYDAY", "weekdays such as MO"),
        ("FREQ=DAILY;COUNT=3;BYDAY=1MO", "BYDAY", "only in monthly and yearly"),
        ("FREQ=WEEKLY;COUNT=3;BYDAY=1MO", "BYDAY", "only in monthly and yearly"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=0MO", "BYDAY", "1 to 5"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=6MO", "BYDAY", "1 to 5"),
        ("FREQ=YEARLY;COUNT=3;BYDAY=-54MO", "BYDAY", "1 to 53"),
        ("FREQ=YEARLY;COUNT=3;BYDAY=6MO;BYMONTH=3", "BYDAY", "1 to 5"),
        ("FREQ=WEEKLY;COUNT=3;BYMONTHDAY=1", "BYMONTHDAY", "weekly"),
        ("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=0", "BYMONTHDAY", "1 to 31"),
        ("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=32", "BYMONTHDAY", "1 to 31"),
        ("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=1,,2", "BYMONTHDAY", "1 to 31"),
        ("FREQ=YEARLY;COUNT=3;BYMONTH=13", "BYMONTH", "1 to 12"),
        ("FREQ=YEARLY;COUNT=3;BYMONTH=-1", "BYMONTH", "1 to 12"),
        ("FREQ=MONTHLY;COUNT=3;BYSETPOS=1", "BYSETPOS", "beside it"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=MO;BYSETPOS=367", "BYSETPOS", "1 to 366"),
        ("FREQ=DAILY;COUNT=3;WKST=1MO", "WKST", "weekday"),
        ("FREQ=DAILY;COUNT=3;BYHOUR=9", "BYHOUR", "not supported"),
        ("FREQ=YEARLY;COUNT=3;BYWEEKNO=9", "BYWEEKNO", "not supported"),
        ("FREQ=YEARLY;COUNT=3;BYYEARDAY=9", "BYYEARDAY", "not supported"),
        ("FREQ=YEARLY;COUNT=3;DTSTART=20270101", "DTSTART", "not supported"),
        ("FREQ=YEARLY;COUNT=3;X-NAME=9", "X-NAME", "not supported"),
    ],
)
def test_what_is_no_rule_of_a_series_is_refused_by_the_name_of_its_part(text: str, part: str, words: str) -> None:
    with pytest.raises(errors.RuleNotSupported) as refused:
        Rule.parse(text)

    assert (refused.value.code, refused.value.status, refused.value.field) == ("rule_not_supported", 400, "rrule")
    assert refused.value.facts() == {"part": part}
    assert refused.value.message.startswith(f"{part} ")
    assert words in refused.value.message


def read(text: str) -> tuple[Rule | None, str]:
    """The rule of a text, or the words of its refusal."""
    try:
        return Rule.parse(text), ""
    except errors.RuleNotSupported as refused:
        return None, refused.message


PIECES = st.sampled_from(
    [
        "FREQ",
        "DAILY",
        "YEARLY",
        "COUNT",
        "UNTIL",
        "BYDAY",
        "BYSETPOS",
        "MO",
        "-1FR",
        "20270630",
        "T235960Z",
        "=",
        ";",
        ",",
    ]
    + ["RRULE:", "9" * 5000, "\x00", "\u0663", "\ud800", "\u0130", "-", "+", "0", "53", " ", "\n"]
)


@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=20).map("".join)))
@many
def test_no_text_raises_another_error(text: str) -> None:
    for tried in (text, f"FREQ=DAILY;COUNT={text}", f"FREQ=MONTHLY;UNTIL={text}", f"FREQ=YEARLY;COUNT=1;BYDAY={text}"):
        rule, message = read(tried)
        assert message.isprintable()
        assert len(message) < 200
        assert rule is None or Rule.parse(str(rule)) == rule
