"""The modules, folders and names that docs/architecture.md tells are those of the code."""

from importlib import import_module
from operator import attrgetter
from pathlib import Path

import pytest

from core.tests.support.documents import ARCHITECTURE, tables, words_in_code
from core.tests.support.environment import ROOT


def there(package: str) -> set[str]:
    """The modules and folders of a package, a folder with a slash."""
    found = {path for path in (ROOT / package).iterdir() if not path.name.startswith(("__", "."))}
    return {f"{path.name}/" if path.is_dir() else path.name for path in found}


def named(chapter: str, column: int) -> list[str]:
    (rows,) = tables(ARCHITECTURE.chapter(chapter))
    return [name for row in rows for name in words_in_code(row[column])]


@pytest.mark.parametrize(
    ("package", "chapter", "column"),
    [
        ("core", "The rooms of core", 1),
        ("booking_system_api", "The modules of booking_system_api", 0),
    ],
)
def test_each_module_and_folder_is_named_once_and_no_other(package: str, chapter: str, column: int) -> None:
    assert sorted(named(chapter, column)) == sorted(there(package))


def test_each_name_on_the_way_of_a_reading_request_stands_in_its_file() -> None:
    (rows,) = tables(ARCHITECTURE.chapter("The way of a reading request"))
    assert len(rows) > 15
    for _, file, names in rows:
        (path,) = words_in_code(file)
        module = import_module(".".join(Path(path).with_suffix("").parts))
        for name in words_in_code(names):
            assert attrgetter(name)(module), (path, name)
