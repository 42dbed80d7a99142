"""Reads the lines of a CSV file, as `writing` wrote it or as another program did."""

import csv
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.exports.sheets import restored


class Unreadable(Exception):
    """The file is no CSV with these columns; the message says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file.

    Attributes:
        number: The line of the file on which it begins; the headings are on line 1.
        cells: Its cells by heading, without those that are empty.
        problem: Why its cells cannot be read; empty if they can.
    """

    number: int
    cells: Mapping[str, str]
    problem: str = ""


def read_lines(path: str, *, needed: Collection[Collection[str]], known: Collection[str]) -> Iterator[Line]:
    """The lines below the headings, in UTF-8, with commas or semicolons between the cells.

    Args:
        path: The path of the file.
        needed: Groups of headings; the file has one of each group at least.
        known: All headings that a file may have.

    Raises:
        Unreadable: When the file is missing, is no CSV in UTF-8, or has other headings.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            # A spreadsheet of a country with decimal commas writes semicolons.
            rows = csv.DictReader(file, delimiter=";" if first.count(";") > first.count(",") else ",", strict=True)
            require_headings(rows.fieldnames or (), needed=needed, known=known)
            yield from lines_of(rows)
    except OSError as error:
        raise Unreadable(f"The file cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise Unreadable("The file is not in UTF-8. Save it as CSV UTF-8.") from error


def require_headings(headings: Collection[str], *, needed: Collection[Collection[str]], known: Collection[str]) -> None:
    """Checks the first line of a file.

    Raises:
        Unreadable: When a heading is unknown, missing or there twice.
    """
    unknown = [name for name in headings if name not in known]
    if unknown:
        raise Unreadable(f"There is no such column: {', '.join(unknown)}. There are: {', '.join(known)}.")
    if len(set(headings)) < len(headings):
        raise Unreadable("A column is there twice.")
    for group in needed:
        if not set(group) & set(headings):
            raise Unreadable(f"The column {' or '.join(group)} is missing. The first line names the columns.")


def lines_of(rows: "csv.DictReader[str]") -> Iterator[Line]:
    """The lines of a reader.

    Raises:
        Unreadable: When a line is no CSV: what follows it cannot be told apart.
    """
    while True:
        number = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise Unreadable(f"Line {number} is no CSV: {error}.") from error
        if None in row:
            yield Line(number, {}, "There are more cells than headings.")
        elif None in row.values():
            yield Line(number, {}, "There are fewer cells than headings.")
        elif any("\0" in cell for cell in row.values()):
            yield Line(number, {}, "A NUL character is in this line.")
        else:
            yield Line(number, {name: restored(cell) for name, cell in row.items() if cell})
