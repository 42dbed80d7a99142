"""The writers of CSV and workbooks: nothing is lost, nothing runs, and memory stays flat."""

import io
import tempfile
import tracemalloc
import zipfile
from datetime import datetime

import pytest

from core.exports import writing
from core.exports.sheets import Sheet, defused, restored
from core.exports.writing import DoesNotFit, write_csv, write_xlsx
from core.tests.exports.hostile import RISKY, WORDS
from core.tests.exports.reading import cells_in, rows_in

local = datetime.fromisoformat


def csv_of(*rows, headings=("word",)) -> bytes:
    return b"".join(write_csv(Sheet("Words", headings, iter(rows))))


def workbook_of(*rows, headings=("word",), title="Words") -> bytes:
    file = io.BytesIO()
    write_xlsx(Sheet(title, headings, iter(rows)), file)
    return file.getvalue()


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
class TestWords:
    def test_they_survive_csv(self, word):
        (row,) = rows_in(csv_of([word]))

        assert restored(row["word"]) == word

    def test_no_cell_of_csv_begins_as_a_formula(self, word):
        (row,) = rows_in(csv_of([word]))

        assert row["word"][0] not in RISKY
        assert row["word"] == (word if word[0] not in RISKY and not word.startswith(("'=", "''=")) else f"'{word}")

    def test_they_are_plain_texts_in_a_workbook(self, word):
        body = workbook_of([word])

        (row,) = cells_in(body)
        assert (row["word"].data_type, row["word"].hyperlink) == ("s", None)
        with zipfile.ZipFile(io.BytesIO(body)) as parts:
            sheet = parts.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet
        assert b"hyperlink" not in sheet
        # openpyxl reads a carriage return as XML does, where it is written as such.
        assert unescaped(row["word"].value) == word


def unescaped(text: str) -> str:
    from openpyxl.utils.escape import unescape

    return unescape(text).replace("_x005F", "_")


def test_headings_are_defused_too():
    assert csv_of(headings=["=1+1"]).decode("utf-8-sig") == "'=1+1\r\n"


def test_csv_begins_with_the_mark_that_excel_needs():
    assert csv_of(["Jürgen"]) == b"\xef\xbb\xbfword\r\nJ\xc3\xbcrgen\r\n"


def test_values_of_csv():
    row = [1, -2, 1.5, True, False, None, "", local("2026-11-26 14:00"), local("2026-11-26 14:00:30")]

    assert csv_of(row, headings=list("abcdefghi")).decode().splitlines()[1] == (
        "1,-2,1.5,true,false,,,2026-11-26 14:00,2026-11-26 14:00:30"
    )


def test_values_of_a_workbook():
    row = [1, -2, 1.5, True, None, "", local("2026-11-26 14:00"), local("1890-01-01"), 10**17 + 1]

    (cells,) = cells_in(workbook_of(row, headings=list("abcdefghi")))

    assert [cell.value for cell in cells.values()] == [
        *(1, -2, 1.5, True, None, None),
        *(local("2026-11-26 14:00"), "1890-01-01 00:00", "100000000000000001"),
    ]


def test_a_title_that_no_page_may_have_is_made_one():
    workbook_of(["x"], title="a/b:c*[d]?\\'" + "x" * 40)
    workbook_of(["x"], title="'")


def test_a_workbook_of_too_many_rows_is_refused(monkeypatch):
    monkeypatch.setattr(writing, "MOST_ROWS", 2)
    workbook_of(["a"], ["b"])

    with pytest.raises(DoesNotFit, match="CSV"):
        workbook_of(["a"], ["b"], ["c"])


@pytest.mark.parametrize("text", ["x" * 32_768, "🎉" * 16_384], ids=["letters", "pairs"])
def test_a_text_that_is_too_long_for_a_cell_is_refused_and_not_cut(text):
    assert cells_in(workbook_of([text[: 32_767 // len(text.encode("utf-16-le")) * len(text)] or "x"]))

    with pytest.raises(DoesNotFit, match="32767"):
        workbook_of([text])


def test_a_broken_workbook_leaves_no_file_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def rows():
        yield ["x"]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_xlsx(Sheet("Words", ["word"], rows()), io.BytesIO())

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_memory_does_not_grow_with_the_rows(form, tmp_path):
    def peak(number: int) -> int:
        sheet = Sheet("Words", ["a", "b"], (["x" * 500, each] for each in range(number)))
        tracemalloc.start()
        with (tmp_path / "file").open("wb") as file:
            if form == "csv":
                file.writelines(write_csv(sheet))
            else:
                write_xlsx(sheet, file)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(20_000) < peak(2_000) + 1_000_000


def test_defusing_can_be_undone_for_every_beginning():
    for quotes in ("", "'", "''"):
        for begins in [*RISKY, "x", ""]:
            assert restored(defused(f"{quotes}{begins}y")) == f"{quotes}{begins}y"
