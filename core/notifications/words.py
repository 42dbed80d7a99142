"""Formats values as the text of a message."""

import re
import unicodedata
from datetime import UTC, datetime, tzinfo

from django.utils.text import Truncator

from core.intervals import on_the_clock


def format_moment(value: datetime, zone: tzinfo = UTC) -> str:
    """Formats a moment in a time zone with the name of the zone; leaves out zero seconds and fractions."""
    value = value.astimezone(zone)
    name = value.tzname() or ""
    # Many zones have no abbreviation: their name is the offset, such as -03.
    return f"{value:%Y-%m-%d} {on_the_clock(value)} " + (f"UTC{name}" if name[:1] in "+-" else name)


def zone_name(zone: tzinfo) -> str:
    """Returns the IANA name of a time zone; empty for UTC, which each moment names already."""
    name = str(zone)
    return "" if name == "UTC" else name


def one_line(value: str) -> str:
    """Returns a name without control characters, in one line and with single spaces."""
    return " ".join(without_controls(value).split())


def lines(value: str) -> list[str]:
    """Returns the lines of a text without control characters and without empty lines at the end."""
    return [without_controls(line, keep="\t").rstrip() for line in value.rstrip().splitlines()]


def without_controls(value: str, *, keep: str = "") -> str:
    """Replaces each control character and each line or paragraph separator by a space, except those in `keep`."""
    return "".join(
        " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") and character not in keep else character
        for character in value
    )


def shortened(value: str, length: int) -> str:
    """Cuts a text to at most `length` characters; the last character of a cut text is …."""
    return Truncator(value).chars(length)


def tidy(text: str) -> str:
    """Removes spaces at the ends of lines, and all but one of several empty lines in a row."""
    trimmed = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", trimmed).strip("\n") + "\n"
