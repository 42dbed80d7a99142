"""The rule of a series: the part of RFC 5545 (section 3.3.10) that series have, read from text and written again."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import NamedTuple

from core import errors

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# A rule of people has a tenth of it. The bound keeps the columns and the words short.
MOST_CHARACTERS = 500
MOST_INTERVAL = 9999
# A series has far fewer dates; `too_many_dates` says so.
MOST_COUNT = 999_999_999

NAME = re.compile(r"[A-Z][A-Z-]{0,19}")
NUMBER = re.compile(r"[+-]?[0-9]{1,9}")
WEEKDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
MOMENT = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")


class Frequency(StrEnum):
    """How long the periods of a rule are."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


class Weekday(NamedTuple):
    """A value of BYDAY.

    Attributes:
        ordinal: Which of these days of the month or year, such as 1 or, from its end, -1; 0 for every one.
        day: From 0 (Monday) to 6.
    """

    ordinal: int
    day: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with an end; its parts are in order and without doubles.

    Attributes:
        freq: The length of its periods.
        interval: Each period, or each second one, and so on; from 1 to 9999.
        count: The number of its dates; None if `until` ends it.
        until: The last moment at which a date may start: aware in UTC, or naive by the local clock, or the last local
            day. None if `count` ends the rule.
        byday: The weekdays; with ordinals only in months and years.
        bymonthday: Days of the month, from 1 to 31, or from its end, from -1 to -31.
        bymonth: The months, from 1 to 12.
        bysetpos: Which of the dates of a period, from 1 to 366, or from its end, from -1 to -366.
        wkst: The first day of the week, from 0 (Monday) to 6.
    """

    freq: Frequency
    interval: int = 1
    count: int | None = None
    until: date | datetime | None = None
    byday: tuple[Weekday, ...] = ()
    bymonthday: tuple[int, ...] = ()
    bymonth: tuple[int, ...] = ()
    bysetpos: tuple[int, ...] = ()
    wkst: int = 0

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """The rule of an RRULE value, in capitals or not; the name ``RRULE:`` may stand before it.

        Raises:
            RuleNotSupported: When the text is no rule, or one that series do not have.
        """
        return _rule(_parts(text))

    def __str__(self) -> str:
        """The rule as RFC 5545 writes it, its parts in one order, without those that say nothing."""
        parts = {
            "FREQ": self.freq.value,
            "INTERVAL": str(self.interval) if self.interval != 1 else "",
            "COUNT": "" if self.count is None else str(self.count),
            "UNTIL": "" if self.until is None else _written(self.until),
            "BYDAY": ",".join(f"{ordinal or ''}{WEEKDAYS[day]}" for ordinal, day in self.byday),
            "BYMONTHDAY": ",".join(map(str, self.bymonthday)),
            "BYMONTH": ",".join(map(str, self.bymonth)),
            "BYSETPOS": ",".join(map(str, self.bysetpos)),
            "WKST": WEEKDAYS[self.wkst] if self.wkst else "",
        }
        return ";".join(f"{name}={value}" for name, value in parts.items() if value)

    def filled(self, start: datetime) -> "Rule":
        """The rule with the weekday, the day and the month that it takes from the start of its series."""
        if self.byday or self.bymonthday or self.freq == Frequency.DAILY:
            return self
        if self.freq == Frequency.WEEKLY:
            return replace(self, byday=(Weekday(0, start.weekday()),))
        if self.freq == Frequency.MONTHLY:
            return replace(self, bymonthday=(start.day,))
        return replace(self, bymonthday=(start.day,), bymonth=self.bymonth or (start.month,))


def _written(until: date | datetime) -> str:
    text = until.replace(tzinfo=None).isoformat() if isinstance(until, datetime) else until.isoformat()
    in_utc = isinstance(until, datetime) and until.tzinfo is not None
    return text.replace("-", "").replace(":", "") + ("Z" if in_utc else "")


def _parts(text: str) -> dict[str, str]:
    """The values of the parts by their names, none of them twice."""
    if len(text) > MOST_CHARACTERS:
        raise errors.RuleNotSupported("RRULE", f"has at most {MOST_CHARACTERS} characters.")
    if not text.isascii():
        raise errors.RuleNotSupported("RRULE", "has letters that no rule of RFC 5545 has.")
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not NAME.fullmatch(name):
            raise errors.RuleNotSupported("RRULE", "is written as NAME=VALUE;NAME=VALUE, such as FREQ=DAILY;COUNT=5.")
        if name in parts:
            raise errors.RuleNotSupported(name, "is there twice.")
        parts[name] = value
    return parts


def _rule(parts: Mapping[str, str]) -> Rule:
    known = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST")
    for name in parts:
        if name not in known:
            raise errors.RuleNotSupported(name, "is not supported.")
    freq = _frequency(parts.get("FREQ"))
    if "COUNT" in parts and "UNTIL" in parts:
        raise errors.RuleNotSupported("UNTIL", "must not stand beside COUNT: a rule has one end.")
    if "COUNT" not in parts and "UNTIL" not in parts:
        raise errors.RuleNotSupported("COUNT", "or UNTIL is missing: a rule has an end.")
    if freq == Frequency.WEEKLY and "BYMONTHDAY" in parts:
        raise errors.RuleNotSupported("BYMONTHDAY", "must not stand in a weekly rule.")
    if "BYSETPOS" in parts and not {"BYDAY", "BYMONTHDAY", "BYMONTH"} & parts.keys():
        raise errors.RuleNotSupported("BYSETPOS", "needs BYDAY, BYMONTHDAY or BYMONTH beside it.")
    return Rule(
        freq=freq,
        interval=_number("INTERVAL", parts["INTERVAL"], MOST_INTERVAL) if "INTERVAL" in parts else 1,
        count=_number("COUNT", parts["COUNT"], MOST_COUNT) if "COUNT" in parts else None,
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        byday=_weekdays(parts["BYDAY"], freq, of_months="BYMONTH" in parts) if "BYDAY" in parts else (),
        bymonthday=_numbers("BYMONTHDAY", parts, 31, from_end=True),
        bymonth=_numbers("BYMONTH", parts, 12),
        bysetpos=_numbers("BYSETPOS", parts, 366, from_end=True),
        wkst=_first_day(parts.get("WKST", "MO")),
    )


def _frequency(value: str | None) -> Frequency:
    if value is None:
        raise errors.RuleNotSupported("FREQ", "is missing.")
    if value not in Frequency.__members__:
        raise errors.RuleNotSupported("FREQ", "is DAILY, WEEKLY, MONTHLY or YEARLY.")
    return Frequency[value]


def _number(name: str, value: str, most: int) -> int:
    if not value.isdigit() or not NUMBER.fullmatch(value) or not 1 <= int(value) <= most:
        raise errors.RuleNotSupported(name, f"is a whole number from 1 to {most}.")
    return int(value)


def _numbers(name: str, parts: Mapping[str, str], most: int, *, from_end: bool = False) -> tuple[int, ...]:
    """The numbers of a list in order; `from_end` if they may be negative."""
    if name not in parts:
        return ()
    texts = parts[name].split(",")
    numbers = [int(text) for text in texts if NUMBER.fullmatch(text)]
    least = -most if from_end else 1
    if len(numbers) < len(texts) or any(not number or not least <= number <= most for number in numbers):
        to_end = f", or from -1 to -{most}" if from_end else ""
        raise errors.RuleNotSupported(name, f"has whole numbers from 1 to {most}{to_end}, with commas between.")
    return _in_order(numbers)


def _in_order(numbers: Iterable[int]) -> tuple[int, ...]:
    """The numbers from the start, then those from the end, none twice."""
    return tuple(sorted(set(numbers), key=lambda number: (number < 0, number)))


def _weekdays(value: str, freq: Frequency, *, of_months: bool) -> tuple[Weekday, ...]:
    """The values of BYDAY in order: every one, then those with ordinals.

    Args:
        value: The list as text.
        freq: Ordinals count in its periods.
        of_months: True if BYMONTH is there: ordinals of years then count in months.
    """
    found = set()
    for text in value.split(","):
        match = WEEKDAY.fullmatch(text)
        if not match:
            raise errors.RuleNotSupported("BYDAY", "has weekdays such as MO or -1FR, with commas between.")
        ordinal = int(match[1] or 0)
        if match[1] and freq in (Frequency.DAILY, Frequency.WEEKLY):
            raise errors.RuleNotSupported("BYDAY", "has numbers, such as 1MO, only in monthly and yearly rules.")
        most = 53 if freq == Frequency.YEARLY and not of_months else 5
        if match[1] and not 1 <= abs(ordinal) <= most:
            period = "year" if most == 53 else "month"
            raise errors.RuleNotSupported(
                "BYDAY", f"has numbers from 1 to {most}, or from -1 to -{most}, in a {period}."
            )
        found.add(Weekday(ordinal, WEEKDAYS.index(match[2])))
    return tuple(sorted(found, key=lambda each: (each.ordinal < 0, each)))


def _first_day(value: str) -> int:
    if value not in WEEKDAYS:
        raise errors.RuleNotSupported("WKST", "is a weekday, such as MO.")
    return WEEKDAYS.index(value)


def _until(value: str) -> date | datetime:
    match = MOMENT.fullmatch(value)
    try:
        if not match:
            raise ValueError
        day = date(int(match[1][:4]), int(match[1][4:6]), int(match[1][6:]))
        if not match[2]:
            return day
        clock = time(int(match[2][:2]), int(match[2][2:4]), int(match[2][4:]), tzinfo=UTC if match[3] else None)
        return datetime.combine(day, clock)
    except ValueError:
        raise errors.RuleNotSupported(
            "UNTIL", "is a date or a time, such as 20270630, 20270630T120000 or 20270630T120000Z."
        ) from None
