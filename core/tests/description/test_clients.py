"""The clients of `docs/clients/` make a booking against a real server; the one in TypeScript is made anew each time.

`make test-all PARTS=node` and `make test-clients` run them; `make test` leaves them out.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User

from core.models import Booking, Resource
from core.tests.support.factories import PASSWORD
from core.tests.support.node import CLIENTS, make_types, run
from core.tests.support.servers import server

pytestmark = [pytest.mark.node, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def environment(alice: User, room: Resource) -> Iterator[dict[str, str]]:
    """What a client is told, while a server is up."""
    # The server knows the hashes of production alone, not the cheap ones of the suite.
    alice.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt")
    alice.save(update_fields=["password"])
    with server(DEBUG="True") as (host, port):
        yield {
            **os.environ,
            "BOOKING_API": f"http://{host}:{port}",
            "BOOKING_USERNAME": "alice",
            "BOOKING_PASSWORD": PASSWORD,
        }


def assert_booked(written: str, alice: User, notes: str) -> None:
    """An hour at the beginning of tomorrow is booked; in the last half hour of a day the lead time ends tomorrow."""
    booking = Booking.objects.get()
    tomorrow = booking.created_at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert tomorrow <= booking.start_time <= tomorrow + timedelta(hours=1)
    assert (booking.user, booking.slot.duration, booking.notes) == (alice, timedelta(hours=1), notes)
    assert json.loads(written.splitlines()[-1])["id"] == booking.pk


def test_the_python_client_makes_a_booking(alice: User, environment: dict[str, str]) -> None:
    written = run([sys.executable, "book.py"], CLIENTS / "python", environment)
    assert_booked(written, alice, "Booked from Python")


def test_the_python_client_says_why_it_was_refused(environment: dict[str, str]) -> None:
    wrong = {**environment, "BOOKING_PASSWORD": "wrong"}
    ran = subprocess.run(
        [sys.executable, "book.py"], cwd=CLIENTS / "python", env=wrong, capture_output=True, text=True, check=False
    )
    assert "Refused: invalid: Unable to log in with provided credentials." in ran.stderr
    assert not Booking.objects.exists()


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's folder, with its packages and the types generated from the description."""
    return make_types(tmp_path_factory.mktemp("project"))


def test_a_client_generated_from_the_description_compiles_and_makes_a_booking(
    generated: Path, alice: User, environment: dict[str, str]
) -> None:
    rules = json.loads((generated / "tsconfig.json").read_text(encoding="utf-8"))["compilerOptions"]
    assert rules["strict"] is True
    run(["npm", "run", "build"], generated)
    written = run(["npm", "run", "--silent", "book"], generated, environment)
    assert_booked(written, alice, "Booked from TypeScript")


def test_the_types_catch_a_field_that_is_not_there(generated: Path) -> None:
    # A client that compiled whatever it said would show nothing.
    client = generated / "book.ts"
    right = client.read_text(encoding="utf-8")
    wrong = right.replace("body: { resource, start_time,", "body: { resource, start: start_time,")
    assert wrong != right
    client.write_text(wrong, encoding="utf-8")
    built = subprocess.run(["npm", "run", "build"], cwd=generated, capture_output=True, text=True, check=False)
    client.write_text(right, encoding="utf-8")
    assert built.returncode != 0
    assert "start" in built.stdout


# A line without an error after `@ts-expect-error` is an error itself.
NARROW = """import type { components } from "./schema.js";
type Resource = components["schemas"]["ResourceRequest"];
type Booking = components["schemas"]["NewBookingRequest"];
export const room: Resource = { name: "Room", is_available: true, capacity: 4 };
// @ts-expect-error
export const word: Resource["is_available"] = "yes";
// @ts-expect-error
export const digits: Booking["resource"] = "3";
// @ts-expect-error
export const number: Booking["notes"] = 7;
export const none: Booking["notes"] = null;
"""


def test_the_types_of_a_json_body_are_narrow(generated: Path) -> None:
    types = generated / "narrow.ts"
    types.write_text(NARROW, encoding="utf-8")
    try:
        run(["npx", "tsc", "--noEmit", "--strict", "--module", "NodeNext", types.name], generated)
    finally:
        types.unlink()


def test_the_lock_file_names_no_registry() -> None:
    locked = json.loads((CLIENTS / "typescript" / "package-lock.json").read_text(encoding="utf-8"))
    assert locked["packages"]
    assert not [name for name, package in locked["packages"].items() if "resolved" in package]
