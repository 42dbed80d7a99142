"""The lines of a calendar file are those of the library `icalendar`, whatever people write."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from icalendar import Calendar

from core.calendars.entries import Entry, event_of, file_of, head_of_feed, invitation_of
from core.calendars.lines import folded, moment_value, plain_text
from core.tests.support.calendars import library_feed, library_invitation
from core.tests.support.properties import many

# Letters that a line escapes, quotes, breaks or folds between, beside any others that a database stores.
LETTERS = st.one_of(
    st.sampled_from(",;:\\\"'^’\n\t\r N#ÄßЖ字🚲\x07\x7f\x85\u2028\xa0"),
    st.characters(exclude_categories=("Cs",), exclude_characters="\0"),
)
TEXTS = st.text(LETTERS, max_size=200)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - naive bounds


@st.composite
def entries(draw) -> Entry:
    """An entry with any texts, whose control characters are gone as `entry_from` removes them."""
    start, created, changed = draw(MOMENTS), draw(MOMENTS), draw(MOMENTS)
    resource = plain_text(draw(TEXTS))
    return Entry(
        uid=str(draw(st.uuids())),
        sequence=draw(st.integers(0, 2**31 - 1)),
        start=start,
        end=start + draw(st.timedeltas(timedelta(seconds=1), timedelta(days=400))),
        status=draw(st.sampled_from(["TENTATIVE", "CONFIRMED", "CANCELLED"])),
        summary=draw(st.sampled_from(["", "Busy: "])) + resource,
        location=resource,
        created=created,
        changed=changed,
        notes=plain_text(draw(TEXTS), lines=True),
        attendee=draw(st.sampled_from(["", "alice@example.org", '"a b"@example.org', "a\x0bb@example.org"])),
        attendee_name=plain_text(draw(TEXTS)),
    )


@many
@given(st.lists(entries(), max_size=3), TEXTS)
def test_a_feed_has_the_bytes_of_the_library(shown: list[Entry], name: str) -> None:
    ours = file_of(head_of_feed(name=name), [event_of(entry, invited=False).encode() for entry in shown])
    assert ours == library_feed(shown, name=plain_text(name))


@many
@given(entries(), st.sampled_from(["REQUEST", "CANCEL", "PUBLISH"]))
def test_a_file_of_one_booking_has_the_bytes_of_the_library(entry: Entry, method: str) -> None:
    assert invitation_of(entry, method=method) == library_invitation(entry, method=method)


@many
@given(entries())
def test_what_is_read_is_what_was_written(entry: Entry) -> None:
    # The library reads the letters `\N`, escaped or not, as a line break.
    entry = replace(entry, notes=entry.notes.replace("\\", "/"), location=entry.location.replace("\\", "/"))
    event = Calendar.from_ical(invitation_of(entry, method="PUBLISH")).walk("VEVENT")[0]
    assert (event["location"], event.get("description", "")) == (entry.location, entry.notes)
    assert (event["uid"], event["sequence"], event["status"]) == (entry.uid, entry.sequence, entry.status)
    assert event["dtstart"].dt == entry.start.replace(microsecond=0)


@many
@given(TEXTS)
@example("🚲" * 40)
@example("x" * 73 + "🚲")
@example("x" * 74 + "y")
def test_a_fold_cuts_no_character_and_leaves_75_octets(text: str) -> None:
    line = plain_text(text)
    parts = folded(line).split("\r\n ")
    assert "".join(parts) == line
    assert all(len(part.encode()) <= 74 for part in parts)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime(2030, 1, 31, 9, 5, 7, 999_999, tzinfo=UTC), id="in UTC"),
        pytest.param(datetime.fromisoformat("2030-01-31T10:05:07+01:00"), id="in another zone"),
    ],
)
def test_a_moment_is_written_in_utc_to_the_second(moment: datetime) -> None:
    assert moment_value(moment) == "20300131T090507Z"
