"""A real subscriber follows a booking: vdirsyncer against a live server."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import vobject
from django.contrib.auth.models import User

from core.models import Booking, Resource
from core.tests.support.clients import client_of
from core.tests.support.factories import at, make_booking, text
from core.tests.support.servers import server

pytestmark = pytest.mark.processes

CONFIG = """
[general]
status_path = "{folder}/status/"

[pair bookings]
a = "here"
b = "there"
collections = null
conflict_resolution = "b wins"

[storage here]
type = "filesystem"
path = "{folder}/calendar/"
fileext = ".ics"

[storage there]
type = "http"
url = "{url}"
"""


@pytest.mark.django_db(transaction=True)
def test_a_subscriber_follows_create_move_and_cancel(tmp_path: Path, alice: User, room: Resource) -> None:
    client = client_of(alice)
    secret = client.post("/api/calendar-feeds/", {}).json()["url"].split("/")[-1]
    make_booking(alice, room, at(20), notes="stays")
    with server(DEBUG="True") as (host, port):
        (tmp_path / "calendar").mkdir()
        config = tmp_path / "config"
        config.write_text(CONFIG.format(folder=tmp_path, url=f"http://{host}:{port}/calendars/{secret}"))
        seen = subscriber(config, tmp_path / "calendar")
        assert seen() == {("stays", at(20), at(21))}

        moving = make_booking(alice, room, at(10), notes="moves")
        assert seen() == {("stays", at(20), at(21)), ("moves", at(10), at(11))}

        body = {"start_time": text(at(12)), "end_time": text(at(14))}
        assert client.patch(f"/api/bookings/{moving.pk}/", body).status_code == 200
        assert seen() == {("stays", at(20), at(21)), ("moves", at(12), at(14))}

        assert client.delete(f"/api/bookings/{moving.pk}/").status_code == 204
        assert seen() == {("stays", at(20), at(21))}
    assert Booking.objects.count() == 2


def subscriber(config: Path, folder: Path) -> Callable[[], set[tuple]]:
    """What the subscriber's folder holds after it looked again."""

    def look() -> set[tuple]:
        for words in (["discover"], ["sync", "bookings"]):
            command = [sys.executable, "-m", "vdirsyncer", "-c", str(config), *words]
            done = subprocess.run(command, input="y\ny\n", capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr
        found = [vobject.readOne(path.read_text()).vevent for path in folder.iterdir()]
        return {(event.description.value, event.dtstart.value, event.dtend.value) for event in found}

    return look
