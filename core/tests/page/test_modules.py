"""The modules of the booking page, without a browser: what they may do, how much they weigh, and their types."""

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from core.tests.support.environment import ROOT
from core.tests.support.node import make_types, run

STATIC = ROOT / "core" / "static" / "core"
MODULES = sorted((STATIC / "page").glob("*.js"))
WEIGHT = 100_000
LONGEST = 300


def source_of(module: Path) -> str:
    return module.read_text(encoding="utf-8")


def test_they_weigh_little() -> None:
    files = [*MODULES, STATIC / "page" / "page.css", STATIC / "vendor" / "interact.min.js"]
    assert sum(len(gzip.compress(each.read_bytes())) for each in files) <= WEIGHT


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_module_sets_texts_as_text_and_is_short(module: Path) -> None:
    source = source_of(module)
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function", source
    )
    assert not re.search(r"https?://", source)
    # The words of all views are no code.
    assert module.name == "words.js" or len(source.splitlines()) < LONGEST


def test_no_words_stand_outside_their_module() -> None:
    # A text with two words and a capital letter at its beginning is meant to be read.
    said = {
        (module.name, found)
        for module in MODULES
        if module.name != "words.js"
        for found in re.findall(
            r'"([A-Z][a-z]+ [a-z][^"]*)"', re.sub(r"/\*.*?\*/|//[^\n]*", "", source_of(module), flags=re.S)
        )
    }
    assert said == set()


def test_the_imports_have_hashed_names_in_production(collected: Path) -> None:
    named = json.loads((collected / "staticfiles.json").read_text(encoding="utf-8"))["paths"]
    for module in MODULES:
        hashed = collected / named[f"core/page/{module.name}"]
        for address in re.findall(r'^import .*? from "\./([^"]+)";', hashed.read_text(encoding="utf-8"), re.M | re.S):
            assert re.search(r"\.[0-9a-f]{12}\.js$", address), (module.name, address)
            assert (hashed.parent / address).exists()


# --- With Node.js -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the modules with their types, and the compiler."""
    place = tmp_path_factory.mktemp("page")
    client = make_types(place)
    types = shutil.copytree(ROOT / "core" / "page" / "types", place / "core" / "page" / "types")
    shutil.copy(client / "schema.d.ts", types)
    shutil.copytree(STATIC / "page", place / "core" / "static" / "core" / "page")
    return place


def compiled(place: Path) -> subprocess.CompletedProcess[str]:
    compiler = place / "docs" / "clients" / "typescript" / "node_modules" / ".bin" / "tsc"
    command = [str(compiler), "-p", "core/page/types"]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.node
def test_the_page_keeps_to_the_types_of_the_api(typed: Path) -> None:
    rules = json.loads((typed / "core" / "page" / "types" / "tsconfig.json").read_text(encoding="utf-8"))
    assert rules["compilerOptions"]["strict"] is True
    ran = compiled(typed)
    assert ran.returncode == 0, ran.stdout


DRIFTS = [
    ("sign_in.js", "body: { username, email, password }", "body: { username, mail: email, password }"),
    ("spans.js", "query.min_capacity", "query.capacity"),
    ("account.js", "preferences.reminder_minutes", "preferences.reminder"),
    ("resource.js", "resource.requires_approval ?", "resource.needs_approval ?"),
    ("booking.js", '"/api/bookings/{id}/", { params: { id }', '"/api/booking/{id}/", { params: { id }'),
]


@pytest.mark.node
@pytest.mark.parametrize(("name", "right", "wrong"), DRIFTS, ids=[name for name, *_ in DRIFTS])
def test_what_drifts_from_the_api_is_found(typed: Path, name: str, right: str, wrong: str) -> None:
    module = typed / "core" / "static" / "core" / "page" / name
    source = source_of(module)
    assert right in source
    module.write_text(source.replace(right, wrong), encoding="utf-8")
    try:
        ran = compiled(typed)
    finally:
        module.write_text(source, encoding="utf-8")
    assert ran.returncode != 0
    assert name in ran.stdout


ZONES = """
import * as zones from "./zones.js";
const told = ([date, zone]) =>
  zones.hoursOf(date, zone).map(({ start, end }) => [zones.timeAt(start, zone), (end - start) / 60000]);
const berlin = "Europe/Berlin", howe = "Australia/Lord_Howe";
const days = [
  ["2027-03-28", berlin], ["2027-10-31", berlin], ["2027-04-04", howe], ["2027-10-03", howe],
  ["2018-11-04", "America/Sao_Paulo"], ["2011-12-30", "Pacific/Apia"],
];
const times = [
  ["2027-10-31", "02:30", berlin], ["2027-03-28", "02:30", berlin], ["2027-04-04", "01:45", howe],
  ["2027-06-01", "12:00", "Asia/Kathmandu"],
];
const winter = Date.UTC(2027, 0, 1);
console.log(JSON.stringify({
  days: days.map(told),
  moments: times.map((each) => zones.momentsOf(...each).map(zones.iso)),
  dates: ["2027-02-31", "2027-02-28", "2028-02-29", "2027-2-1", "0000-00-00"].map(zones.isDate),
  names: [berlin, "UTC", "Mars/Olympus", "+02:00", ""].map(zones.isZone),
  offsets: ["Asia/Kathmandu", "America/St_Johns", "UTC"].map((zone) => zones.offsetText(winter, zone)),
  weeks: [zones.weekStart("2027-03-15", 1), zones.weekStart("2027-03-15", 7), zones.weekStart("2027-03-14", 1)],
}));
"""


@pytest.mark.node
def test_wall_time_and_moments(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    shutil.copy(STATIC / "page" / "zones.js", tmp_path)
    (tmp_path / "rows.js").write_text(ZONES, encoding="utf-8")
    rows = json.loads(run(["node", "rows.js"], tmp_path))
    ahead, back, half_back, half_ahead, no_midnight, no_day = rows["days"]
    assert [len(each) for each in rows["days"]] == [23, 25, 25, 24, 23, 0]
    assert ahead[1:3] == [["01:00", 60], ["03:00", 60]]
    assert back[2:4] == [["02:00", 60], ["02:00", 60]]
    assert half_back[1:4] == [["01:00", 60], ["01:30", 30], ["02:00", 60]]
    assert half_ahead[1:4] == [["01:00", 60], ["02:30", 30], ["03:00", 60]]
    assert no_midnight[0] == ["01:00", 60]
    assert no_day == []
    assert rows["moments"] == [
        ["2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"],
        [],
        ["2027-04-03T14:45:00Z", "2027-04-03T15:15:00Z"],
        ["2027-06-01T06:15:00Z"],
    ]
    assert rows["dates"] == [False, True, True, False, False]
    assert rows["names"] == [True, True, False, False, False]
    assert rows["offsets"] == ["UTC+5:45", "UTC−3:30", "UTC"]
    assert rows["weeks"] == ["2027-03-15", "2027-03-14", "2027-03-08"]
