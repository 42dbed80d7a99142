"""How values read in a message."""

import re
import unicodedata
from datetime import UTC, datetime, tzinfo

from django.utils.text import Truncator

from core.intervals import on_the_clock


def moment(value: datetime, zone: tzinfo = UTC) -> str:
    """A moment in a time zone, whose name it has; seconds and their fractions only where there are any."""
    value = value.astimezone(zone)
    name = value.tzname() or ""
    # Many zones have no abbreviation but their offset, such as -03.
    return f"{value:%Y-%m-%d} {on_the_clock(value)} " + (f"UTC{name}" if name[:1] in "+-" else name)


def zone_in_words(zone: tzinfo) -> str:
    """The name of a time zone; nothing for UTC, whose name stands behind each moment."""
    name = str(zone)
    return "" if name == "UTC" else name


def one_line(value: str) -> str:
    """A name without line breaks and other control characters, and with single spaces."""
    return " ".join(without_controls(value).split())


def lines(value: str) -> list[str]:
    """A text as typed, line by line, without control characters; nothing where there is nothing to read."""
    return [without_controls(line, keep="\t").rstrip() for line in value.rstrip().splitlines()]


def without_controls(value: str, *, keep: str = "") -> str:
    """The text with a space for each control character and each line or paragraph separator."""
    return "".join(
        " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") and character not in keep else character
        for character in value
    )


def shortened(value: str, length: int) -> str:
    """At most that many characters, the last of which is … where some are missing."""
    return Truncator(value).chars(length)


def tidy(text: str) -> str:
    """The text without blanks at the ends of lines and without more than one empty line in a row."""
    trimmed = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", trimmed).strip("\n") + "\n"
