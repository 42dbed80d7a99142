"""`make mutants`: what it takes out is there to be taken out, and how it judges a run."""

import pytest

from tools.bootstrap import ROOT
from tools.mutants import MutantError, apply_mutant, files, verdict_of
from tools.mutations import MUTANTS, Mutant


def test_what_is_to_be_taken_out_is_in_the_code_once() -> None:
    for mutant in MUTANTS:
        text = (ROOT / mutant.path).read_text(encoding="utf-8")
        assert apply_mutant(mutant, text) != text, mutant.name
        assert files(ROOT, mutant.tests)
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("text", ["", "if a: b\nif a: c\n"], ids=["not there", "there twice"])
def test_a_text_that_is_not_there_once_ends_the_run(text: str) -> None:
    with pytest.raises(MutantError, match=r"a rule: this is [02] times in a\.py, but must be there once"):
        apply_mutant(Mutant("a rule", "a.py", "if a:", "if False:"), text)


def test_a_pattern_without_a_file_ends_the_run() -> None:
    with pytest.raises(MutantError, match="test_nothing"):
        files(ROOT, ["core/tests/test_nothing_*.py"])


@pytest.mark.parametrize(
    ("status", "output", "verdict"),
    [
        (0, "12 passed in 3.45s", (False, "MISSED")),
        (1, "FAILED core/tests/test_a.py::test_b[a id] - assert 1 == 2\n1 failed", (True, "test_a.py::test_b[a id]")),
        (1, "FAILED core/tests/test_a.py::test_b\n1 failed", (True, "test_a.py::test_b")),
        (1, "ERROR core/tests/test_a.py::test_b - assert [(1, 2)] == []\n1 error", (True, "test_a.py::test_b")),
        (None, "", (True, "(no end within 600 seconds)")),
    ],
    ids=["all passed", "a test failed", "one without a reason", "a fixture found something", "no end"],
)
def test_a_mutant_is_caught_by_the_test_that_fails(status: int | None, output: str, verdict: tuple[bool, str]) -> None:
    assert verdict_of(status, output) == verdict


@pytest.mark.parametrize(
    ("status", "output"),
    [
        (1, "ERROR core/tests/test_a.py::test_b - django.db.utils.ProgrammingError: syntax error\n1 error"),
        (2, "ERROR core/tests/test_a.py - NameError: name 'x' is not defined\n1 error"),
        (4, "ERROR: file or directory not found"),
        (-9, ""),
    ],
    ids=["no database", "no import", "no file", "killed"],
)
def test_a_mutant_that_does_not_even_start_is_not_caught(status: int, output: str) -> None:
    caught, by = verdict_of(status, output)
    assert not caught
    assert by.startswith(f"BROKEN: pytest ended with {status}")
