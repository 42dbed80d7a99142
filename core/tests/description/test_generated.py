"""A client that openapi-python-client generates from `openapi.yaml` has every operation, and makes a booking.

`make test-clients` runs this beside the clients of `test_clients.py`; `make test` and the gate leave it out.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from core.tests.description.test_clients import CLIENTS, assert_booked, environment, run
from core.tests.support.described import COMMITTED, document, operations

pytestmark = [pytest.mark.generator, pytest.mark.django_db(transaction=True)]

FOLDER = CLIENTS / "generated"
# Imports each module of the client, and names those with a function for an operation.
NAMES = """
import importlib, pkgutil
from booking_api_client import api
for module in pkgutil.walk_packages(api.__path__, "booking_api_client.api."):
    if hasattr(importlib.import_module(module.name), "sync_detailed"):
        print(module.name.rpartition(".")[2])
"""

__all__ = ["environment"]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the pinned generator, which is no package of this project."""
    place = tmp_path_factory.mktemp("generator")
    run([sys.executable, "-m", "venv", "."], place)
    programs = place / "bin"
    run([str(programs / "pip"), "install", "-qq", "--no-input", "-r", str(FOLDER / "requirements.txt")], place)
    return programs


@pytest.fixture(scope="module")
def written(programs: Path) -> subprocess.CompletedProcess[str]:
    """The run of the generator; its folder `client` holds the client."""
    command = [programs / "openapi-python-client", "generate", "--path", COMMITTED, "--output-path", "client"]
    # The generator formats the client with its own ruff.
    path = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(command, cwd=programs.parent, env=path, capture_output=True, text=True, check=True)


@pytest.fixture(scope="module")
def client(programs: Path, written: subprocess.CompletedProcess[str]) -> Path:
    return programs.parent / "client"


def test_the_generator_has_no_warning(written: subprocess.CompletedProcess[str]) -> None:
    assert (written.stdout.split("\n"), written.stderr) == (["Generating client", ""], "")


def test_every_operation_has_a_function(programs: Path, client: Path) -> None:
    found = run([str(programs / "python"), "-c", NAMES], client).split()
    named = [operation["operationId"].lower() for *_, operation in operations(document())]
    assert sorted(name.replace("_", "") for name in found) == sorted(named)


def test_the_generated_client_makes_a_booking(
    programs: Path, client: Path, alice: User, environment: dict[str, str]
) -> None:
    told = {**environment, "PYTHONPATH": str(client)}
    written = run([str(programs / "python"), "book.py"], FOLDER, told)
    assert_booked(written, alice, "Booked by a generated client")


def test_a_body_of_the_client_has_one_type_for_each_field(programs: Path, client: Path) -> None:
    types = "from booking_api_client.models import ResourceRequest as R; print(R.__annotations__)"
    found = run([str(programs / "python"), "-c", types], client)
    assert "'is_available': 'bool | Unset', 'requires_approval': 'bool | Unset'" in found
    assert "'capacity': 'int | Unset'" in found
    assert "'description': 'None | str | Unset'" in found
