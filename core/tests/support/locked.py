"""What requirements.lock says."""

import re
from dataclasses import dataclass

from packaging.requirements import Requirement

from core.tests.support.environment import ROOT
from tools.lock import normal

ENTRY = re.compile(r"^(?=\S)(?!#).*(?:\n[ ].*)*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A package of the lock.

    Attributes:
        requirement: The package in its version, with the interpreters that it is for.
        hashes: The options of pip, one for each file.
        needed_by: The packages that need it, and `-r requirements.txt` if that names it.
    """

    requirement: Requirement
    hashes: tuple[str, ...]
    needed_by: tuple[str, ...]

    @property
    def name(self) -> str:
        """In the spelling that registries compare."""
        return normal(self.requirement.name)

    @property
    def applies(self) -> bool:
        """Whether this interpreter installs it."""
        return self.requirement.marker is None or self.requirement.marker.evaluate()


def entry(text: str) -> Entry:
    """Reads the lines of one package."""
    first, *rest = [line.strip().removesuffix("\\").strip() for line in text.splitlines()]
    comments = [line.removeprefix("#").removeprefix(" via").strip() for line in rest if line.startswith("#")]
    return Entry(
        requirement=Requirement(first),
        hashes=tuple(line for line in rest if line.startswith("--hash=")),
        needed_by=tuple(line for line in comments if line),
    )


LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
ENTRIES = [entry(text) for text in ENTRY.findall(LOCK)]
