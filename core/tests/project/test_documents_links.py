"""The links of the documents lead somewhere, and their pictures are shown."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from core.tests.support.documents import CHANGELOG, CONTRIBUTING, README, Document, documents
from core.tests.support.environment import ROOT

PICTURES = ROOT / "docs" / "pictures"


def broken(link: str, document: Document) -> str | None:
    """Why a link of a document leads nowhere; None where it leads somewhere, or out of the repository."""
    if link.startswith(("https://", "http://", "mailto:")):
        return None
    name, _, anchor = link.partition("#")
    target = (document.path.parent / name).resolve() if name else document.path
    if not target.is_relative_to(ROOT) or not target.exists():
        return "there is no such file"
    if anchor and (target.suffix != ".md" or anchor not in Document(target).anchors):
        return "there is no such heading"
    return None


def test_the_documents_are_all_read() -> None:
    assert {README, CONTRIBUTING, CHANGELOG} < set(documents())
    assert {path.name for path in (ROOT / "docs").glob("*.md")} <= {document.path.name for document in documents()}


@pytest.mark.parametrize("document", documents(), ids=str)
def test_each_link_leads_to_a_file_and_a_heading(document: Document) -> None:
    found = {link: broken(link, document) for link in document.links}
    assert {link: why for link, why in found.items() if why} == {}


@pytest.mark.parametrize(
    ("text", "anchors"),
    [
        pytest.param("# On any host", ["on-any-host"], id="words"),
        pytest.param("## [0.1.0] - Unreleased", ["010---unreleased"], id="punctuation"),
        pytest.param("## `make run`: what_it does", ["make-run-what_it-does"], id="code"),
        pytest.param("# Tests\n\n## Tests", ["tests", "tests-1"], id="twice"),
        pytest.param("```sh\n# no heading\n```\n# One", ["one"], id="a comment in a block"),
        pytest.param("### Für größere Räume", ["für-größere-räume"], id="letters of other languages"),
    ],
)
def test_anchors_are_made_as_github_makes_them(text: str, anchors: list[str], tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(text, encoding="utf-8")
    assert Document(file).anchors == anchors


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("docs/nothing.md", "there is no such file"),
        ("../elsewhere", "there is no such file"),
        ("#no-such-heading", "there is no such heading"),
        ("docs/api.md#no-such-heading", "there is no such heading"),
        ("openapi.yaml#paths", "there is no such heading"),
        ("docs/api.md#errors", None),
        ("docs/clients", None),
        ("https://example.org/nothing", None),
    ],
)
def test_a_broken_link_is_noticed(link: str, why: str | None) -> None:
    assert broken(link, README) == why


def test_each_picture_is_shown_in_a_document() -> None:
    shown = {(document.path.parent / link).resolve() for document in documents() for link in document.links}
    pictures = sorted(path for path in PICTURES.iterdir() if path.is_file())
    assert pictures
    assert [picture.name for picture in pictures if picture not in shown] == []


def test_drawings_are_well_formed() -> None:
    drawings = sorted(PICTURES.glob("*.svg"))
    assert drawings
    for drawing in drawings:
        assert ElementTree.parse(drawing).getroot().tag == "{http://www.w3.org/2000/svg}svg"
