"""`manage.py export_bookings`, `import_bookings` and `import_resources`."""

import csv
import io
import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from core.choices import BookingStatus
from core.exports.tables import BOOKINGS
from core.management.commands import export_bookings
from core.models import Booking, Resource
from core.record.models import BookingEvent
from core.tests.exports.hostile import NOTE, WORDS
from core.tests.exports.reading import cells_in, rows_in
from core.tests.support.environment import ROOT
from core.tests.support.factories import (
    at,
    make_booking,
    make_cancelled_booking,
    make_ended_booking,
    make_resource,
    make_user,
    text,
)
from core.tests.support.servers import database_url


def run(command, *args, **options):
    """What the command says, and what it says of how far it is."""
    out, err = io.StringIO(newline=""), io.StringIO()
    call_command(command, *args, stdout=out, stderr=err, no_color=True, **options)
    return out.getvalue(), err.getvalue()


def refusals(command, *args, **options):
    """The lines that a command refuses, and its last sentence."""
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command(command, *args, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue().splitlines(), str(caught.value)


def write(path, rows, **options):
    """A CSV file with these rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), **options)
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def line(room, user="alice", hour=10, **more):
    """A line that books an hour of tomorrow."""
    return {
        "resource": room.pk,
        "username": user,
        "start_time": text(at(hour)),
        "end_time": text(at(hour + 1)),
        **more,
    }


@pytest.mark.django_db
class TestExport:
    def test_it_writes_a_file_and_a_row_of_the_record(self, alice, room, tmp_path):
        make_booking(alice, room, notes=NOTE)

        said, told = run("export_bookings", output=str(tmp_path / "all.csv"))

        (row,) = rows_in((tmp_path / "all.csv").read_bytes())
        assert (row["notes"], row["email"]) == (NOTE, "alice@example.org")
        assert list(row) == list(BOOKINGS.columns)
        assert (said, told) == ("", "1 bookings exported.\n")
        (act,) = BookingEvent.objects.filter(kind="bookings.exported")
        assert (act.actor, act.part, act.channel) == (None, "system", "command")
        assert act.facts == {"export": {"format": "csv", "rows": 1, "filters": {}}}

    def test_without_a_file_it_writes_to_the_output_alone(self, alice, room):
        make_booking(alice, room)

        said, told = run("export_bookings")

        assert [row["username"] for row in rows_in(said.encode())] == ["alice"]
        assert "exported" in told
        assert "exported" not in said

    def test_the_ending_of_the_file_chooses_its_form(self, alice, room, tmp_path):
        make_booking(alice, room)

        run("export_bookings", output=str(tmp_path / "all.XLSX"))

        (row,) = cells_in((tmp_path / "all.XLSX").read_bytes())
        assert row["username"].value == "alice"

    def test_it_has_the_filters_of_the_list(self, alice, bob, room):
        make_booking(alice, room, notes="Tea")
        make_cancelled_booking(bob, room, at(12))
        make_ended_booking(alice, room)

        def names(**filters):
            return [row["username"] for row in rows_in(run("export_bookings", **filters)[0].encode())]

        assert names(status=["cancelled", "pending"]) == ["bob"]
        assert names(resource=str(room.pk), upcoming="true", ordering="-start_time") == ["bob", "alice"]
        assert names(search="tea", user=str(alice.pk)) == ["alice"]
        assert names(start_after=text(at(11))) == ["bob"]
        act = BookingEvent.objects.filter(kind="bookings.exported").order_by("pk")[2]
        assert act.facts["export"]["filters"] == {"user": str(alice.pk)}
        assert act.actor_words == {"filters": {"search": "tea"}}

    def test_it_tells_how_far_it_is(self, alice, room, monkeypatch):
        monkeypatch.setattr(export_bookings, "AT_ONCE", 2)
        monkeypatch.setattr(export_bookings, "TOLD_EACH", 4)
        for hour in range(9):
            make_booking(alice, room, at(hour), at(hour + 1))

        assert run("export_bookings")[1].splitlines() == ["4 written", "8 written", "9 bookings exported."]

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"start_after": "today"}, "start_after: .*ISO 8601"),
            ({"status": ["lost"]}, "status: Send pending"),
            ({"resource": "x"}, "resource: "),
            ({"search": "\0"}, "search: "),
            ({"ordering": "name"}, "ordering: "),
            ({"output": "/no/such/folder/file.csv"}, "cannot be written"),
            ({"format": "xlsx"}, "--output"),
        ],
        ids=str,
    )
    def test_what_cannot_be_is_a_clear_error(self, alice, options, sentence):
        with pytest.raises(CommandError, match=sentence):
            run("export_bookings", **options)

        assert not BookingEvent.objects.exists()

    def test_too_many_rows_for_a_workbook_name_csv(self, alice, room, tmp_path, monkeypatch):
        monkeypatch.setattr(export_bookings, "MOST_ROWS", 1)
        make_booking(alice, room)
        make_booking(alice, room, at(12))

        with pytest.raises(CommandError, match="csv"):
            run("export_bookings", output=str(tmp_path / "all.xlsx"))

        assert not (tmp_path / "all.xlsx").exists()
        assert not BookingEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_command_line_writes_bytes_to_a_pipe():
    make_booking(make_user("alice"), make_resource("Büro"))
    environment = {**os.environ, "DEBUG": "True", "DATABASE_URL": database_url(), "LC_ALL": "C"}

    done = subprocess.run(
        [sys.executable, "manage.py", "export_bookings", "--status", "confirmed", "pending"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=60,
        check=True,
    )

    assert [row["resource_name"] for row in rows_in(done.stdout)] == ["Büro"]
    assert b"\r\n" in done.stdout
    assert b"1 bookings exported." in done.stderr


@pytest.mark.django_db
class TestImportBookings:
    def test_what_was_exported_comes_back_as_it_was(self, alice, bob, room, lab, tmp_path):
        file = str(tmp_path / "all.csv")
        for number, word in enumerate(WORDS.values()):
            make_booking(alice, room, at(number), at(number + 1), notes=word)
        make_booking(bob, lab, status=BookingStatus.PENDING)
        make_cancelled_booking(bob, lab)
        make_ended_booking(alice, lab)
        Booking.objects.update(staff_note=NOTE)
        columns = ("resource", "user", "start_time", "end_time", "status", "notes", "staff_note")
        before = sorted(map(str, Booking.objects.values_list(*columns)))
        run("export_bookings", output=file)
        Booking.objects.all().delete()

        said, _ = run("import_bookings", file)

        assert sorted(map(str, Booking.objects.values_list(*columns))) == before
        assert said == f"{len(before)} bookings imported, 0 lines refused.\n"
        acts = BookingEvent.objects.filter(kind="booking.created")
        assert acts.count() == len(before)
        assert set(acts.values_list("part", "channel")) == {("system", "command")}

    def test_twice_it_books_nothing_twice_and_names_the_lines(self, alice, room, tmp_path):
        states = {10: "", 12: "cancelled", 14: "pending"}
        file = write(tmp_path / "a.csv", [line(room, hour=hour, status=status) for hour, status in states.items()])
        run("import_bookings", file)

        lines, said = refusals("import_bookings", file)

        assert Booking.objects.count() == 3
        assert [each.split(":")[0] for each in lines] == ["line 2", "line 3", "line 4"]
        assert all("already" in each for each in lines)
        assert said == "0 bookings imported, 3 lines refused."

    @pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "import"])
    def test_refused_lines_are_named_and_the_others_imported(self, alice, bob, room, tmp_path, dry_run):
        make_booking(bob, room, at(20))
        names = ["resource", "username", "start_time", "end_time", "status", "notes"]
        wrong = {
            "no such user": {**line(room), "username": "nobody"},
            "taken": line(room, hour=20),
            "no moment": {**line(room), "start_time": "tomorrow"},
            "no offset": {**line(room), "start_time": "2030-01-01T10:00:00"},
            "end before start": {**line(room), "end_time": text(at(9))},
            "unknown status": line(room, status="lost"),
            "no such resource": {**line(room), "resource": 10**12},
            "no number": {**line(room), "resource": "x"},
            "too long": line(room, notes="x" * 5_001),
            "nobody": {**line(room), "username": ""},
            "too far ahead": {**line(room), "end_time": "2999-01-01T00:00:00Z"},
            "an earlier line": line(room, "bob", hour=10.5),
        }
        rows = [line(room, notes="two\nlines"), *wrong.values(), line(room, hour=12)]
        file = write(tmp_path / "a.csv", [{name: row.get(name, "") for name in names} for row in rows])

        lines, said = refusals("import_bookings", file, dry_run=dry_run)

        # The first booking takes the lines 2 and 3.
        assert [each.split(":")[0] for each in lines] == [f"line {number}" for number in range(4, 4 + len(wrong))]
        for each, words in zip(
            lines,
            [
                *("no user nobody", "slot_taken", "start_time: ", "start_time: The offset", "end_not_after_start"),
                *("status: ", "no resource", "resource: ", "notes: ", "username: ", "too_far_ahead", "slot_taken"),
            ],
            strict=True,
        ):
            assert words in each
        assert f"2 bookings {'would be ' if dry_run else ''}imported, {len(wrong)} lines refused." in said
        assert Booking.objects.count() == (1 if dry_run else 3)
        assert BookingEvent.objects.count() == (0 if dry_run else 2)

    @pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "import"])
    def test_the_same_booking_without_a_slot_twice_in_a_file(self, alice, room, tmp_path, dry_run):
        file = write(tmp_path / "a.csv", [line(room, status="rejected")] * 2)

        lines, _ = refusals("import_bookings", file, dry_run=dry_run)

        assert [each.split(":")[0] for each in lines] == ["line 3"]
        assert Booking.objects.count() == (0 if dry_run else 1)

    def test_slots_that_touch_are_both_imported(self, alice, room, tmp_path):
        file = write(tmp_path / "a.csv", [line(room, hour=hour) for hour in (11, 10, 12)])

        assert "3 bookings would be" in run("import_bookings", file, dry_run=True)[0]
        assert "3 bookings imported" in run("import_bookings", file)[0]

    def test_a_resource_may_come_by_its_name(self, alice, room, tmp_path):
        by_name = {**line(room), "resource": "", "resource_name": "Blue room"}
        file = write(tmp_path / "a.csv", [by_name])

        run("import_bookings", file)

        assert Booking.objects.get().resource == room

    @pytest.mark.parametrize(
        ("number", "name", "words"),
        [
            (True, "Red room", "another name"),
            (False, "Twin", "Several"),
            (False, "None", "no resource"),
            (False, "", "needed"),
        ],
    )
    def test_a_resource_that_is_not_clear_is_refused(self, alice, room, tmp_path, number, name, words):
        make_resource("Twin")
        make_resource("Twin")
        row = {**line(room), "resource": room.pk if number else "", "resource_name": name}

        lines, _ = refusals("import_bookings", write(tmp_path / "a.csv", [row]))

        assert words in lines[0]
        assert not Booking.objects.exists()

    def test_semicolons_of_a_spreadsheet_are_read(self, alice, room, tmp_path):
        run("import_bookings", write(tmp_path / "a.csv", [line(room, notes="a;b,c")], delimiter=";"))

        assert Booking.objects.get().notes == "a;b,c"

    def test_it_tells_how_far_it_is(self, alice, room, tmp_path, monkeypatch):
        monkeypatch.setattr("core.management.importing.TOLD_EACH", 2)
        file = write(tmp_path / "a.csv", [line(room, hour=hour) for hour in range(5)])

        assert run("import_bookings", file)[1].splitlines() == ["2 lines read, 0 refused", "4 lines read, 0 refused"]

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "missing"),
            (b"username,start_time,end_time\r\n", "resource or resource_name"),
            (b"username,resource,start_time,end_time,colour\r\n", "no such column: colour"),
            (b"username,username,resource,start_time,end_time\r\n", "twice"),
            (b"username,resource,start_time,end_time\r\nj\xfcrgen,1,,\r\n", "UTF-8"),
            (b'username,resource,start_time,end_time\r\n"alice"x,1,,\r\n', "Line 2 is no CSV"),
            (b'username,resource,start_time,end_time\r\n"alice,1,,\r\n', "Line 2 is no CSV"),
            (b"PK\x03\x04\x00\x00", "no such column"),
        ],
        ids=str,
    )
    def test_a_file_that_is_none_ends_in_a_sentence(self, db, tmp_path, content, words):
        (tmp_path / "a.csv").write_bytes(content)

        _, said = refusals("import_bookings", str(tmp_path / "a.csv"))

        assert words in said

    def test_a_file_that_is_missing_ends_in_a_sentence(self, db, tmp_path):
        assert "cannot be read" in refusals("import_bookings", str(tmp_path / "none.csv"))[1]
        assert "cannot be read" in refusals("import_bookings", str(tmp_path))[1]

    @pytest.mark.parametrize(
        ("cells", "words"),
        [
            ("alice,1,,,", "more cells"),
            ("alice,1", "fewer cells"),
            ("ali\0ce,1,x,y", "NUL"),
            ("alice,1,,", "no resource"),
        ],
    )
    def test_a_line_that_is_none_is_refused_alone(self, alice, room, tmp_path, cells, words):
        room.delete()
        (tmp_path / "a.csv").write_text(f"username,resource,start_time,end_time\r\n{cells}\r\n")

        lines, _ = refusals("import_bookings", str(tmp_path / "a.csv"))

        assert words in lines[0]


@pytest.mark.django_db
class TestImportResources:
    def test_what_was_exported_comes_back_as_it_was(self, as_admin, tmp_path):
        for number, word in enumerate(WORDS.values()):
            make_resource(
                f"{word.strip()} {number}",
                description=word.strip(),
                capacity=number + 1,
                is_available=number % 2 == 0,
                reason_required=number % 3 == 0,
                requires_approval=number % 5 == 0,
                time_zone="Europe/Berlin" if number % 2 else None,
            )
        columns = (
            *("name", "description", "capacity", "is_available", "requires_approval", "reason_required", "time_zone"),
        )
        before = sorted(map(str, Resource.objects.values_list(*columns)))
        (tmp_path / "all.csv").write_bytes(as_admin.get("/api/resources/", {"format": "csv"}).getvalue())
        Resource.objects.all().delete()

        said, _ = run("import_resources", str(tmp_path / "all.csv"))

        assert sorted(map(str, Resource.objects.values_list(*columns))) == before
        assert said == f"{len(before)} resources imported, 0 lines refused.\n"

    @pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "import"])
    def test_refused_lines_are_named_and_nothing_there_changes(self, room, tmp_path, dry_run):
        rows = [
            {"name": "Hall", "capacity": "10"},
            {"name": "Blue room", "capacity": "99"},
            {"name": "Hall", "capacity": "11"},
            {"name": "", "capacity": "1"},
            {"name": "None", "capacity": "0"},
            {"name": "Big", "capacity": "many"},
            {"name": "x" * 256, "capacity": "1"},
        ]

        lines, said = refusals("import_resources", write(tmp_path / "a.csv", rows), dry_run=dry_run)

        assert [each.split(":")[0] for each in lines] == [f"line {number}" for number in range(3, 9)]
        assert "Blue room already" in lines[0]
        assert said.startswith("1 resources ")
        assert set(Resource.objects.values_list("name", "capacity")) == {
            ("Blue room", 1),
            *([] if dry_run else [("Hall", 10)]),
        }

    def test_twice_it_makes_none_twice(self, db, tmp_path):
        file = write(tmp_path / "a.csv", [{"name": "Hall"}, {"name": "Lab"}])
        run("import_resources", file)

        lines, _ = refusals("import_resources", file)

        assert len(lines) == 2
        assert Resource.objects.count() == 2
