"""The settings file: one `NAME=value` for each line, as shells and container tools read it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

# Without the byte order mark of Windows editors, which would become part of the first name.
ENCODING = "utf-8-sig"
EXPORT = re.compile(r"export\s+")
# The first word of a line, also after the `set` of Windows shells.
FIRST_WORD = re.compile(r"(?:export\s+|set\s+|\$env:)?([\w-]+)", re.IGNORECASE)
# From this likeness on (1 is the same), a name counts as a slip of the other; ALLOWED_HOST and ALLOWED_HOSTS have 0.96.
SIMILARITY = 0.78


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is neither empty nor a comment.

    Attributes:
        number: Its number in the file, from 1.
        text: The line, without white space around it.
    """

    number: int
    text: str

    @property
    def name(self) -> str:
        """The name that the line sets; an empty text when the line has no `=`."""
        name, equals, _ = self.text.partition("=")
        return EXPORT.sub("", name, count=1).strip() if equals else ""

    @property
    def value(self) -> str:
        """The value, without the quotation marks around it."""
        value = self.text.partition("=")[2].strip()
        return value[1:-1] if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"" else value

    @property
    def word(self) -> str:
        """The first word, which is the name in a line that is written as another shell wants it."""
        found = FIRST_WORD.match(self.text)
        return found[1] if found else ""

    def nearest(self, names: Iterable[str]) -> str:
        """The name that the first word resembles; an empty text if there is none."""
        word = self.word.upper().replace("-", "_")
        return next(iter(get_close_matches(word, names, n=1, cutoff=SIMILARITY)), "")


def read(path: Path) -> list[Line]:
    """The lines of a settings file.

    Raises:
        ImproperlyConfigured: When the file is missing or no text in UTF-8.
    """
    try:
        lines = path.read_text(ENCODING).split("\n")
    except (OSError, UnicodeDecodeError) as error:
        # Not above: gunicorn.conf.py uses this file, and its process loads no Django.
        from django.core.exceptions import ImproperlyConfigured

        raise ImproperlyConfigured(f"{path.name} cannot be read: {error}. It must be a text file in UTF-8.") from error
    texts = [Line(number, line.strip()) for number, line in enumerate(lines, 1)]
    return [line for line in texts if line.text and not line.text.startswith("#")]


def unread(lines: list[Line], names: set[str], not_from_files: set[str], file: str) -> Iterator[str]:
    """A sentence for each line that changes no setting, although somebody may have meant it to.

    The sentences show no value, which may be a secret. They show the first word of a line only if it resembles the name
    of a setting.

    Args:
        lines: The lines of the file.
        names: The names of all settings.
        not_from_files: The names of variables that only the environment can set.
        file: The name of the file.
    """
    last = {line.name: line.number for line in lines}
    for line in lines:
        where = f"Line {line.number} of {file}"
        if line.name in names:
            if last[line.name] != line.number:
                yield f"{where} sets {line.name}, but line {last[line.name]} sets it again: only that line counts."
        elif line.name in not_from_files:
            yield f"{where} ({line.name}) sets nothing: only the environment can set {line.name}."
        elif nearest := line.nearest(names):
            yield f"{where} ({line.word}) sets nothing. If {nearest} is meant, write {nearest}=value."
        elif not line.name:
            yield f"{where} sets nothing, because it is not NAME=value."
