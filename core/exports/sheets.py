"""A table to be written as CSV or as a workbook, and the cells that a spreadsheet must not run."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

# A naive datetime is a time on a local clock, whose zone stands in another cell.
Cell = str | int | float | bool | datetime | None

# A spreadsheet takes a cell of CSV that begins with one of the last six characters for a formula, or hides them. An
# apostrophe before it makes it a text. A cell that begins with apostrophes before such a character gets one more, so
# that the way back is the same for all.
RISKY = re.compile(r"'*[=+\-@\t\r]")
DEFUSED = re.compile(r"'+[=+\-@\t\r]")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table.

    Attributes:
        title: The name of the page in a workbook.
        headings: One for each column.
        rows: The rows, each with a cell for each column; they are read once.
    """

    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def defused(text: str) -> str:
    """The text as a cell of CSV that no spreadsheet takes for a formula."""
    return f"'{text}" if RISKY.match(text) else text


def restored(cell: str) -> str:
    """The text of a cell that `defused` wrote."""
    return cell[1:] if DEFUSED.match(cell) else cell
