"""`make lock` and `make upgrade`: write `requirements.lock`, every version and hash that production installs.

`make lock` brings the lock in step with `requirements.txt`, and leaves other versions as they are. `make upgrade` first
takes the newest versions that fit together into the lists of requirements and the `Pipfile`. Both ask the package
registry.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.bootstrap import LOCK, PYTHON, ROOT, SetupError, ensure_environment, exit_status, say

# The oldest Python that is supported; one lock is for this one and for all later ones.
OLDEST_PYTHON = "3.11"
# The lists, each with those that it builds upon.
LISTS = {
    "requirements.txt": (),
    "requirements-dev.txt": ("requirements.txt",),
    "requirements-browser.txt": ("requirements.txt", "requirements-dev.txt"),
}
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^\s;\\]+)", re.MULTILINE)


def normal(name: str) -> str:
    """A package's name in the one spelling that registries compare."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, str]:
    """The versions by the name of the package, as they are written."""
    return {match["name"]: match["version"] for match in PINNED.finditer(text)}


def with_versions(text: str, versions: dict[str, str]) -> str:
    """The text of a list with other versions; lines and spelling stay.

    Args:
        text: The list.
        versions: The versions by the normal name.
    """
    return PINNED.sub(lambda match: f"{match['name']}=={versions[normal(match['name'])]}", text)


def with_versions_of_pipfile(text: str, versions: dict[str, str]) -> str:
    """The text of a Pipfile with other versions; a package without one of these keeps its own."""

    def line(match: re.Match[str]) -> str:
        return f'{match[1]} = "=={versions.get(normal(match[1]), match[2])}"'

    return re.sub(r'^([\w.-]+) = "==([^"]+)"', line, text, flags=re.MULTILINE)


def compiled(source: Path, *options: str) -> str:
    """The requirements of a file with all that they need in turn, for every supported Python.

    Raises:
        SetupError: No versions fit together, or the registry is out of reach.
    """
    uv = PYTHON.with_name("uv")
    command = [uv, "pip", "compile", "--universal", "--python-version", OLDEST_PYTHON, "--quiet", *options, source]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SetupError(f"uv could not resolve {source}: read its message above.")
    return done.stdout


def newest(lists: Sequence[str]) -> dict[str, dict[str, str]]:
    """The newest versions that fit together, by list and normal name; one version for every supported Python."""
    found: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as name:
        wanted, limits = Path(name) / "wanted.in", Path(name) / "limits.txt"
        for each in lists:
            packages = pins((ROOT / each).read_text(encoding="utf-8"))
            wanted.write_text("\n".join(packages), encoding="utf-8")
            above = [f"{package}=={version}" for base in LISTS[each] for package, version in found[base].items()]
            limits.write_text("\n".join(above), encoding="utf-8")
            options = ("--upgrade", "--fork-strategy", "fewest", "--no-annotate", "--no-header")
            text = compiled(wanted, *options, "--constraints", str(limits))
            resolved = {normal(package): version for package, version in pins(text).items()}
            found[each] = {normal(package): resolved[normal(package)] for package in packages}
    return found


def upgrade() -> None:
    """Takes the newest versions into the lists and the Pipfile, and prints each change."""
    by_list = newest(list(LISTS))
    for name, versions in by_list.items():
        file = ROOT / name
        text = file.read_text(encoding="utf-8")
        for package, version in pins(text).items():
            if version != versions[normal(package)]:
                say(f"{package}: {version} -> {versions[normal(package)]}")
        file.write_text(with_versions(text, versions), encoding="utf-8")
    pipfile = ROOT / "Pipfile"
    everything = {package: version for versions in by_list.values() for package, version in versions.items()}
    pipfile.write_text(with_versions_of_pipfile(pipfile.read_text(encoding="utf-8"), everything), encoding="utf-8")


def lock(*options: str) -> None:
    """Writes the lock anew."""
    written = ("--generate-hashes", "--custom-compile-command", "make lock", "--output-file", str(LOCK))
    compiled(Path("requirements.txt"), *written, *options)


def main(arguments: list[str] | None = None) -> int:
    """Writes the lock from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.lock", description="Writes requirements.lock anew.")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions of everything first")
    options = parser.parse_args(arguments)

    def work() -> None:
        ensure_environment(for_tests=True)
        if options.upgrade:
            upgrade()
        lock(*["--upgrade"] * options.upgrade)

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
