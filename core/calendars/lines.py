"""The content lines of calendar files (RFC 5545): texts, moments and folding."""

from collections.abc import Iterable
from datetime import UTC, datetime

# The octets of a line before its first fold; a further line begins with a space and has as many after that.
OCTETS = 74
# The control characters, which RFC 5545 cannot write.
SPACES = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ")
SPACES_BUT_LINES = {number: space for number, space in SPACES.items() if chr(number) not in "\n\t"}


def plain_text(value: str, *, lines: bool = False) -> str:
    """Replaces control characters by spaces.

    Args:
        value: The text.
        lines: True to keep line breaks and tabs.
    """
    if value.isprintable():
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return text.translate(SPACES_BUT_LINES if lines else SPACES)


def text_value(text: str) -> str:
    r"""Escapes a text (section 3.3.11). The letters `\N` count as a line break, as they do in calendar files."""
    text = text.replace("\\N", "\n").replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def moment_value(moment: datetime) -> str:
    """Writes a moment in UTC, to the second (section 3.3.5)."""
    return moment.astimezone(UTC).isoformat()[:19].replace("-", "").replace(":", "") + "Z"


def parameter_value(text: str) -> str:
    """Writes a text as the value of a parameter, in quotes if need be (section 3.2 and RFC 6868).

    A double quote becomes a single one: programs read it more often than its escape.
    """
    value = text.replace('"', "'").replace("^", "^^").replace("\n", "^n")
    return f'"{value}"' if any(char in value for char in " ',;:’") else value


def folded(line: str) -> str:
    """Folds a line into lines of at most 75 octets (section 3.1), between characters and not within an escape."""
    if len(line) <= OCTETS and line.isascii():
        return line
    octets = line.encode()
    parts, start = [], 0
    while len(octets) - start > OCTETS:
        end = start + OCTETS
        while octets[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        if octets[end - 1] in b"\\^":
            end -= 1
        parts.append(octets[start:end].decode())
        start = end
    parts.append(octets[start:].decode())
    return "\r\n ".join(parts)


def text_of(lines: Iterable[str]) -> str:
    """Joins lines to the text of a file or of a part of it."""
    return "".join(f"{folded(line)}\r\n" for line in lines)
