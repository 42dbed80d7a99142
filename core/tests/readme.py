"""What README.md shows, read from README.md itself: chapters, tables, and the commands with the answers they print.

A block fenced as `bash` is run; a `json` or `text` block right after it, with nothing but blank lines between, is what
it prints. A `bash` block without one prints nothing.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.tests.environment import ROOT

README = ROOT / "README.md"

# The address that README.md writes for the server of `make run`.
WRITTEN_ADDRESS = "http://127.0.0.1:8000"

FENCED = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
END_OF_STEP = "=== end of this step ==="

# What differs from one run to the next; resources keep their ids, since commands name them.
PASSING = re.compile(
    r'(?P<id>(?<="id": )\d+|(?<="user": )\d+)'
    r'|(?P<moment>(?<="created_at": ")[^"]+|(?<="updated_at": ")[^"]+)'
    r"|(?P<date>\b\d{4}-\d{2}-\d{2})"
    r"|(?P<token>\b[0-9a-f]{40}\b)"
)


@dataclass(frozen=True, slots=True)
class Step:
    """Commands that are run together, and what they print."""

    commands: str
    answer: str


def chapter(title: str) -> str:
    """The text below a heading, with its sub-chapters.

    Raises:
        LookupError: When there is no such heading, or more than one.
    """
    text = README.read_text(encoding="utf-8")
    headings = [
        match
        for match in re.finditer(r"^(?P<level>#+) (?P<title>.+)$", without_blocks(text), re.MULTILINE)
        if match["title"] == title
    ]
    if len(headings) != 1:
        raise LookupError(f"README.md has {len(headings)} headings {title!r}.")
    start, level = headings[0].end(), len(headings[0]["level"])
    following = re.search(rf"^#{{1,{level}}} ", without_blocks(text)[start:], re.MULTILINE)
    return text[start : start + following.start()] if following else text[start:]


def without_blocks(text: str) -> str:
    """The text with its fenced blocks blanked out, so that a `#` in a command is no heading; lengths stay."""
    return FENCED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def steps(text: str) -> list[Step]:
    """The commands of a text in order, each with the answer that README.md prints."""
    found: list[Step] = []
    end = None
    for block in FENCED.finditer(text):
        between = None if end is None else text[end : block.start()]
        if block["language"] == "bash":
            found.append(Step(commands=block["body"], answer=""))
            end = block.end()
        elif found and between is not None and not between.strip():
            found[-1] = Step(commands=found[-1].commands, answer=block["body"].rstrip())
            end = None
        else:
            end = None
    return found


def run(written: Sequence[Step], *, address: str) -> list[str]:
    """What the commands really print, each step on its own, all typed into one shell.

    Args:
        written: The steps.
        address: The server to use instead of the one that README.md writes.
    """
    script = "".join(f"{step.commands}\necho '{END_OF_STEP}'\n" for step in written)
    shell = subprocess.run(
        ["bash", "--noprofile", "--norc", "-u"],
        input=script.replace(WRITTEN_ADDRESS, address),
        # The interpreter of the suite is `python3`; no proxy stands between curl and the server.
        env={"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "NO_PROXY": "*"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    printed = shell.stdout.split(f"{END_OF_STEP}\n")
    assert len(printed) == len(written) + 1, shell.stdout
    assert printed.pop() == ""
    return [answer.replace(address, WRITTEN_ADDRESS).rstrip() for answer in printed]


def masked(answers: Sequence[str]) -> list[str]:
    """The answers with passing values named in the order in which they come: the same value has the same name."""
    names: dict[tuple[str | None, str], str] = {}

    def name(match: re.Match[str]) -> str:
        key = (match.lastgroup, match[0])
        return names.setdefault(key, f"<{match.lastgroup} {len(names) + 1}>")

    return [PASSING.sub(name, answer) for answer in answers]


def table(text: str) -> list[list[str]]:
    """The rows of the first table in a text, without its heading, each as the plain text of its cells."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
