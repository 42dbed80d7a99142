"""requirements.lock: every version and hash that production installs, in step with requirements.txt and the Pipfile."""

import importlib.metadata
import re
import tomllib

import pytest
from packaging.requirements import Requirement

from core.tests.support.environment import ROOT
from core.tests.support.locked import ENTRIES, LOCK
from tools.bootstrap import RUN_REQUIREMENTS, TEST_REQUIREMENTS
from tools.lock import LISTS, normal, pins, with_versions, with_versions_of_pipfile

WANTED = pins((ROOT / "requirements.txt").read_text(encoding="utf-8"))


def test_it_has_each_requirement_in_its_version_and_no_other_one() -> None:
    listed = {each.name: str(each.requirement.specifier) for each in ENTRIES if "-r requirements.txt" in each.needed_by}

    assert listed == {normal(name): f"=={version}" for name, version in WANTED.items()}


def test_each_entry_is_one_version_with_its_hashes() -> None:
    assert len(ENTRIES) > len(WANTED)
    for each in ENTRIES:
        assert re.fullmatch(r"==[\w.+!]+", str(each.requirement.specifier)), each
        assert each.hashes, each
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", value) for value in each.hashes), each


def test_each_entry_is_needed_by_another_one_or_by_the_list() -> None:
    names = {each.name for each in ENTRIES} | {"-r requirements.txt"}

    assert {each.name: each.needed_by for each in ENTRIES if not {*each.needed_by} & names} == {}


def test_it_names_no_registry() -> None:
    options = [line for line in LOCK.splitlines() if line.startswith("-")]

    assert options == []
    assert "://" not in LOCK


def test_the_suite_runs_on_its_versions() -> None:
    locked = {each.name: str(each.requirement.specifier) for each in ENTRIES if each.applies}

    assert {name: f"=={importlib.metadata.version(name)}" for name in locked} == locked


def test_it_has_all_that_its_packages_need_on_this_interpreter() -> None:
    locked = {each.name: each.requirement for each in ENTRIES if each.applies}
    wrong = []
    for name, requirement in locked.items():
        extras = {"", *requirement.extras}
        for text in importlib.metadata.requires(name) or []:
            need = Requirement(text)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras):
                found = locked.get(normal(need.name))
                version = str(found.specifier).removeprefix("==") if found else ""
                if found is None or not need.specifier.contains(version, prereleases=True):
                    wrong.append(f"{name} needs {need}, but the lock has {found}")
    assert wrong == []


@pytest.mark.parametrize("version", ["3.11.0", "3.11.9", "3.12.0", "3.13.0"])
def test_each_python_gets_each_package_once(version: str) -> None:
    python = {"python_full_version": version, "python_version": version.rpartition(".")[0]}
    markers = [(each.name, each.requirement.marker) for each in ENTRIES]
    installed = [name for name, marker in markers if marker is None or marker.evaluate(python)]

    assert len(installed) == len(set(installed))
    assert {normal(name) for name in WANTED} <= set(installed)


def test_make_run_and_make_test_install_it_first() -> None:
    assert RUN_REQUIREMENTS == ("requirements.lock",)
    assert TEST_REQUIREMENTS[0] == "requirements.lock"


@pytest.mark.parametrize(
    ("section", "file"), [("packages", "requirements.txt"), ("dev-packages", "requirements-dev.txt")]
)
def test_the_pipfile_names_the_packages_of_the_requirements(section: str, file: str) -> None:
    with (ROOT / "Pipfile").open("rb") as pipfile:
        packages = tomllib.load(pipfile)[section]

    assert {name: version.removeprefix("==") for name, version in packages.items()} == pins((ROOT / file).read_text())


class TestAnUpgrade:
    @pytest.mark.parametrize("name", LISTS)
    def test_it_reads_each_line_of_a_list(self, name: str) -> None:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        others = [line for line in lines if "==" not in line]

        assert [f"{package}=={version}" for package, version in pins("\n".join(lines)).items()] == [
            line for line in lines if "==" in line
        ]
        assert all(line.startswith("-r ") for line in others)

    def test_it_changes_versions_and_keeps_lines_and_spelling(self) -> None:
        before = "-r requirements.txt\nPyYAML==6.0.3\ntypes_PyYAML==1.0\n"

        assert with_versions(before, {"pyyaml": "7", "types-pyyaml": "2.0.post1"}) == (
            "-r requirements.txt\nPyYAML==7\ntypes_PyYAML==2.0.post1\n"
        )

    def test_it_changes_the_pipfile_alike_and_keeps_the_version_of_python(self) -> None:
        before = '[packages]\nPyYAML = "==6.0.3"\n\n[requires]\npython_version = "3.13"\n'

        assert with_versions_of_pipfile(before, {"pyyaml": "7"}) == before.replace("6.0.3", "7")
