"""What the Markdown documents show: chapters, tables, links, diagrams, and commands with the answers they print.

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

from core.tests.support.environment import ROOT

# The address that the documents write for the server of `make run`.
WRITTEN_ADDRESS = "http://127.0.0.1:8000"

FENCED = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(?P<level>#+) (?P<title>.+)$", re.MULTILINE)
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
IN_CODE = re.compile(r"`[^`\n]+`")
END_OF_STEP = "=== end of this step ==="

# What differs from one run to the next; resources keep their ids, since commands name them.
PASSING = re.compile(
    r'(?P<id>(?<="id": )\d+|(?<="user": )\d+)'
    r'|(?P<moment>(?<="created_at": ")[^"]+|(?<="updated_at": ")[^"]+)'
    r"|(?P<date>\b\d{4}-\d{2}-\d{2})"
    r"|(?P<token>\b[0-9a-f]{40}\b)"
    r"|(?P<secret>(?<=/calendars/)[\w-]{43}(?=\.ics))"
)


@dataclass(frozen=True, slots=True)
class Document:
    """A Markdown file of the repository."""

    path: Path

    def __str__(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        """The whole text."""
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """The text with its fenced blocks blanked out, so that a `#` in a command is no heading; lengths stay."""
        return FENCED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), self.text)

    @property
    def links(self) -> list[str]:
        """The targets of links and pictures, as they are written."""
        return LINK.findall(IN_CODE.sub(lambda match: "`" * len(match[0]), self.prose))

    @property
    def anchors(self) -> list[str]:
        """The anchors that GitHub gives to the headings; the second of two alike ends in `-1`."""
        found: list[str] = []
        seen: dict[str, int] = {}
        for heading in HEADING.finditer(self.prose):
            anchor = re.sub(r"[^\w\- ]", "", heading["title"].strip().lower()).replace(" ", "-")
            found.append(f"{anchor}-{seen[anchor]}" if anchor in seen else anchor)
            seen[anchor] = seen.get(anchor, 0) + 1
        return found

    def chapter(self, title: str) -> str:
        """The text below a heading, with its sub-chapters.

        Raises:
            LookupError: When there is no such heading, or more than one.
        """
        headings = [match for match in HEADING.finditer(self.prose) if match["title"] == title]
        if len(headings) != 1:
            raise LookupError(f"{self} has {len(headings)} headings {title!r}.")
        start, level = headings[0].end(), len(headings[0]["level"])
        following = re.search(rf"^#{{1,{level}}} ", self.prose[start:], re.MULTILINE)
        return self.text[start : start + following.start()] if following else self.text[start:]

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks of a language."""
        return [block["body"] for block in FENCED.finditer(self.text) if block["language"] == language]


README = Document(ROOT / "README.md")
CONTRIBUTING = Document(ROOT / "CONTRIBUTING.md")
CHANGELOG = Document(ROOT / "CHANGELOG.md")
API = Document(ROOT / "docs" / "api.md")
ARCHITECTURE = Document(ROOT / "docs" / "architecture.md")
CALENDARS = Document(ROOT / "docs" / "calendars.md")
CONFIGURATION = Document(ROOT / "docs" / "configuration.md")
CLIENTS = Document(ROOT / "docs" / "clients" / "README.md")
DEPLOYING = Document(ROOT / "docs" / "deploying.md")
UPGRADING = Document(ROOT / "docs" / "upgrading.md")
EXPORTS = Document(ROOT / "docs" / "exports.md")
METRICS = Document(ROOT / "docs" / "metrics.md")
OPERATING = Document(ROOT / "docs" / "operating.md")
POLICIES = Document(ROOT / "docs" / "policies.md")
REPORTS = Document(ROOT / "docs" / "reports.md")
SERIES = Document(ROOT / "docs" / "series.md")
TOUR = Document(ROOT / "docs" / "tour.md")


def documents() -> list[Document]:
    """All documents: those in the root, in docs/ and below, and that of the benchmarks."""
    paths = [*ROOT.glob("*.md"), *(ROOT / "benchmarks").glob("*.md")]
    paths += [path for path in (ROOT / "docs").rglob("*.md") if "node_modules" not in path.parts]
    return [Document(path) for path in sorted(paths)]


@dataclass(frozen=True, slots=True)
class Step:
    """Commands that are run together, and what they print."""

    commands: str
    answer: str


def steps(text: str) -> list[Step]:
    """The commands of a text in order, each with the answer that the document prints."""
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


def run(written: Sequence[Step], *, address: str, **variables: str) -> list[str]:
    """What the commands really print, each step on its own, all typed into one shell.

    Args:
        written: The steps.
        address: The server to use instead of the one that the documents write.
        variables: Further variables of the shell, which the documents tell the reader to set.
    """
    script = "".join(f"{step.commands}\necho '{END_OF_STEP}'\n" for step in written)
    shell = subprocess.run(
        ["bash", "--noprofile", "--norc", "-u"],
        input=script.replace(WRITTEN_ADDRESS, address),
        # The interpreter of the suite is `python3`; no proxy stands between curl and the server.
        env={"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "NO_PROXY": "*", **variables},
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


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a text, each as its rows without the heading, each row as the plain text of its cells."""
    found = re.findall(r"(?:^\|.*\n)+", text if text.endswith("\n") else f"{text}\n", re.MULTILINE)
    return [[cells(line) for line in table.splitlines()[2:]] for table in found]


def cells(line: str) -> list[str]:
    """The cells of a row; a bar in backticks or behind a backslash parts none."""
    bars = IN_CODE.sub(lambda match: match[0].replace("|", "\0"), line.strip().strip("|"))
    return [cell.strip().replace("\0", "|") for cell in bars.split("|")]


def words_in_code(text: str) -> list[str]:
    """What a text has in backticks."""
    return [word.strip("`") for word in IN_CODE.findall(text)]
