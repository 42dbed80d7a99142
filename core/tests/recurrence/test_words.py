"""The words of rules: a table that people can read, and that two rules with the same words have the same dates."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from itertools import product

import pytest

from core.errors import RuleNotSupported
from core.recurrence import Rule, in_words
from core.recurrence.days import days_of

# A Tuesday.
START = datetime(2027, 3, 2, 9)  # noqa: DTZ001 - a local time
WORKING_DAYS = "BYDAY=MO,TU,WE,TH,FR"
WHOLE_WEEK = "BYDAY=MO,TU,WE,TH,FR,SA,SU"
ALL_MONTHS = "BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12"

WORDS = [
    ("FREQ=DAILY", "every day"),
    ("FREQ=DAILY;INTERVAL=2", "every second day"),
    ("FREQ=DAILY;INTERVAL=21", "every 21st day"),
    ("FREQ=DAILY;BYDAY=SA,SU", "every Saturday and Sunday"),
    (f"FREQ=DAILY;{WORKING_DAYS}", "every weekday"),
    (f"FREQ=DAILY;{WHOLE_WEEK};INTERVAL=3", "every third day"),
    ("FREQ=DAILY;INTERVAL=2;BYDAY=MO,WE", "every second day, but only on a Monday or a Wednesday"),
    ("FREQ=DAILY;BYMONTH=3,4", "every day in March and April"),
    (f"FREQ=DAILY;{ALL_MONTHS}", "every day"),
    ("FREQ=DAILY;INTERVAL=2;BYMONTH=3,4", "every second day, but only in March or April"),
    ("FREQ=DAILY;BYMONTHDAY=13", "the 13th of every month"),
    (
        "FREQ=DAILY;INTERVAL=2;BYDAY=FR;BYMONTHDAY=13,-1;BYMONTH=10",
        "every second day, but only on a Friday, only on the 13th or last day of the month and only in October",
    ),
    ("FREQ=DAILY;BYDAY=MO;BYSETPOS=-1", "every Monday"),
    ("FREQ=DAILY;BYDAY=MO;BYSETPOS=2", "every Monday, of these only the second of each day"),
    ("FREQ=WEEKLY", "every Tuesday"),
    ("FREQ=WEEKLY;INTERVAL=2", "every second Tuesday"),
    ("FREQ=WEEKLY;INTERVAL=2;WKST=SU", "every second Tuesday"),
    ("FREQ=WEEKLY;BYDAY=MO,WE,FR;WKST=SU", "every Monday, Wednesday and Friday"),
    (f"FREQ=WEEKLY;{WORKING_DAYS}", "every weekday"),
    (f"FREQ=WEEKLY;{WHOLE_WEEK}", "every day"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH", "every second week on Tuesday and Thursday"),
    (f"FREQ=WEEKLY;INTERVAL=2;{WORKING_DAYS}", "every second week from Monday to Friday"),
    (f"FREQ=WEEKLY;INTERVAL=2;{WHOLE_WEEK}", "every second week on each day"),
    (
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU",
        "every second week on Tuesday and Sunday, with weeks from Sunday to Saturday",
    ),
    ("FREQ=WEEKLY;BYMONTH=3", "every Tuesday in March"),
    ("FREQ=WEEKLY;INTERVAL=2;BYMONTH=3", "every second Tuesday, but only in March"),
    ("FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=-1", "the last Monday or Friday of every week"),
    (
        "FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=1;BYMONTH=3;WKST=WE",
        "every Monday and Friday in March, of these only the first of each week, with weeks from Wednesday to Tuesday",
    ),
    ("FREQ=MONTHLY", "the 2nd of every month"),
    ("FREQ=MONTHLY;INTERVAL=2", "the 2nd of every second month"),
    ("FREQ=MONTHLY;BYMONTHDAY=31", "the 31st of every month"),
    ("FREQ=MONTHLY;BYMONTHDAY=1,15,-1", "the 1st, 15th and last day of every month"),
    ("FREQ=MONTHLY;BYMONTHDAY=11,12,13,22,23", "the 11th, 12th, 13th, 22nd and 23rd of every month"),
    ("FREQ=MONTHLY;BYMONTHDAY=-2", "the second to last day of every month"),
    ("FREQ=MONTHLY;BYMONTHDAY=1;BYMONTH=3,9", "the 1st of every March and September"),
    ("FREQ=MONTHLY;BYMONTH=3,9;INTERVAL=2", "the 2nd of every second month, but only in March or September"),
    ("FREQ=MONTHLY;BYDAY=5FR", "the fifth Friday of every month"),
    ("FREQ=MONTHLY;BYDAY=-1FR", "the last Friday of every month"),
    ("FREQ=MONTHLY;BYDAY=-2FR", "the second to last Friday of every month"),
    ("FREQ=MONTHLY;BYDAY=1MO,3MO,-1FR", "the first and third Monday and the last Friday of every month"),
    ("FREQ=MONTHLY;BYDAY=MO", "every Monday"),
    ("FREQ=MONTHLY;BYDAY=MO;INTERVAL=2", "every Monday of every second month"),
    ("FREQ=MONTHLY;BYDAY=MO,1TU", "every Monday and the first Tuesday of every month"),
    (f"FREQ=MONTHLY;{WORKING_DAYS};BYSETPOS=-1", "the last working day of every month"),
    (f"FREQ=MONTHLY;{WORKING_DAYS};BYSETPOS=1,-1", "the first and last working day of every month"),
    (f"FREQ=MONTHLY;{WHOLE_WEEK};BYSETPOS=-2", "the second to last day of every month"),
    ("FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1;INTERVAL=3", "the first weekend day of every third month"),
    ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=11;BYMONTH=3", "the 11th Monday or Tuesday of every March"),
    (
        f"FREQ=MONTHLY;{WORKING_DAYS};BYSETPOS=-1;BYMONTH=3,9;INTERVAL=2",
        "the last working day of every second month, but only in March or September",
    ),
    ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "the 13th of every month, but only on a Friday"),
    (
        f"FREQ=MONTHLY;{WORKING_DAYS},1SA;BYMONTHDAY=1",
        "the 1st of every month, but only on a weekday or the first Saturday of the month",
    ),
    (
        "FREQ=MONTHLY;BYMONTHDAY=1,15;BYSETPOS=-1",
        "the 1st and 15th of every month, of these only the last of each month",
    ),
    ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=1", "every year on 1 March"),
    ("FREQ=YEARLY", "every year on 2 March"),
    ("FREQ=YEARLY;INTERVAL=2;BYMONTH=3,9", "every second year on 2 March and 2 September"),
    ("FREQ=YEARLY;BYMONTH=3,9;BYMONTHDAY=1,15", "the 1st and 15th of every March and September"),
    (
        "FREQ=YEARLY;BYMONTH=3,9;BYMONTHDAY=1,15;INTERVAL=2",
        "the 1st and 15th of March and September in every second year",
    ),
    ("FREQ=YEARLY;BYMONTHDAY=15", "the 15th of every month"),
    ("FREQ=YEARLY;BYMONTHDAY=15;INTERVAL=2", "the 15th of each month in every second year"),
    ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", "the last day of every February"),
    ("FREQ=YEARLY;BYDAY=TU", "every Tuesday"),
    ("FREQ=YEARLY;BYDAY=TU;BYMONTH=3", "every Tuesday in March"),
    ("FREQ=YEARLY;BYDAY=TU;INTERVAL=2", "every Tuesday of every second year"),
    ("FREQ=YEARLY;BYDAY=TU;BYMONTH=3;INTERVAL=2", "every Tuesday of March in every second year"),
    ("FREQ=YEARLY;BYDAY=20MO,-1SU", "the 20th Monday and the last Sunday of every year"),
    ("FREQ=YEARLY;BYDAY=1MO;BYMONTH=3", "the first Monday of every March"),
    (f"FREQ=YEARLY;BYDAY=1MO;{ALL_MONTHS}", "the first Monday of every month"),
    (f"FREQ=YEARLY;BYDAY=1MO;{ALL_MONTHS};INTERVAL=2", "the first Monday of each month in every second year"),
    (f"FREQ=YEARLY;BYDAY=MO;{ALL_MONTHS}", "every Monday"),
    ("FREQ=YEARLY;BYDAY=1TU;BYMONTHDAY=2", "the 2nd of every month, but only on the first Tuesday of the year"),
    (
        "FREQ=YEARLY;INTERVAL=4;BYDAY=TU;BYMONTH=11;BYMONTHDAY=2,3,4",
        "the 2nd, 3rd and 4th of November in every fourth year, but only on a Tuesday",
    ),
    (f"FREQ=YEARLY;{WORKING_DAYS};BYSETPOS=1", "the first working day of every year"),
    (f"FREQ=YEARLY;{WORKING_DAYS};BYSETPOS=-1;BYMONTH=3", "the last working day of every March"),
    (
        f"FREQ=YEARLY;{WORKING_DAYS};BYSETPOS=-1;BYMONTH=3,9",
        "every weekday in March and September, of these only the last of each year",
    ),
]


@pytest.mark.parametrize(("parts", "words"), WORDS, ids=[parts for parts, _ in WORDS])
def test_a_rule_reads_as_people_say_it(parts: str, words: str) -> None:
    assert in_words(Rule.parse(f"{parts};COUNT=10"), START) == f"{words}, 10 times"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY;COUNT=1", "every day, once"),
        ("FREQ=DAILY;COUNT=2", "every day, twice"),
        ("FREQ=DAILY;COUNT=3", "every day, 3 times"),
        ("FREQ=WEEKLY;INTERVAL=2;UNTIL=20270630", "every second Tuesday until 30 June 2027"),
        ("FREQ=DAILY;UNTIL=20270630T090000", "every day until 30 June 2027"),
        ("FREQ=DAILY;UNTIL=20270630T085959", "every day until 29 June 2027"),
        ("FREQ=DAILY;UNTIL=20270630T085959Z", "every day until 08:59:59 UTC on 30 June 2027"),
        ("FREQ=DAILY;UNTIL=20270630T080000Z", "every day until 08:00 UTC on 30 June 2027"),
        ("FREQ=DAILY;INTERVAL=2;BYMONTH=3;UNTIL=20270630", "every second day, but only in March, until 30 June 2027"),
        ("FREQ=DAILY;UNTIL=00010101T000000", "every day until 31 December 999"),
    ],
)
def test_the_end_of_a_rule_is_told(rule: str, words: str) -> None:
    assert in_words(Rule.parse(rule), START) == words


# Each part with few values, so that many rules differ in one part alone.
FEW: dict[str, tuple[str, ...]] = {
    "FREQ": ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"),
    "INTERVAL": ("1", "2"),
    "BYMONTH": ("", "3", "3,9"),
    "BYDAY": ("", "TU", "TU,SU", "1TU", "1TU,WE"),
    "BYMONTHDAY": ("", "2", "2,-1"),
    "BYSETPOS": ("", "1"),
    "WKST": ("MO", "SU"),
}


def supported() -> Iterator[Rule]:
    for values in product(*FEW.values()):
        parts = (f"{name}={value}" for name, value in zip(FEW, values, strict=True) if value)
        with suppress(RuleNotSupported):
            yield Rule.parse(";".join(["COUNT=10", *parts]))


def test_rules_with_the_same_words_have_the_same_days() -> None:
    days_by_words: dict[str, set[tuple[date, ...]]] = {}
    for rule in supported():
        found = tuple(days_of(rule, START, date(2028, 4, 30)))
        if START.date() in found:
            days_by_words.setdefault(in_words(rule, START), set()).add(found)

    assert len(days_by_words) > 100
    assert [words for words, found in days_by_words.items() if len(found) > 1] == []
