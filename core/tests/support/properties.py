"""Examples for property tests: the same ones in every run, few enough for every run."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from core.tests.support.oracle import Span

MINUTE = timedelta(minutes=1)

# A zone far east, one far west, one that shifts by half an hour, one that never does, one with an odd offset.
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo", "Asia/Kathmandu")
# Each in the middle of a night on which clocks change, or of one on which nothing happens.
NIGHTS = {
    "Berlin, an hour forward": ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    "Berlin, an hour back": ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "New York, an hour forward": ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    "New York, an hour back": ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    "Lord Howe, half an hour forward": ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    "Lord Howe, half an hour back": ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    "Beirut, at midnight forward": ("Asia/Beirut", datetime(2026, 3, 28, 22, tzinfo=UTC)),
    "Havana, to midnight back": ("America/Havana", datetime(2026, 11, 1, 5, tzinfo=UTC)),
    "Santiago, at midnight back": ("America/Santiago", datetime(2026, 4, 5, 3, tzinfo=UTC)),
    "Kathmandu, never": ("Asia/Kathmandu", datetime(2026, 3, 28, 18, 15, tzinfo=UTC)),
    "UTC, never": ("UTC", datetime(2026, 3, 29, tzinfo=UTC)),
    "Tokyo, never": ("Asia/Tokyo", datetime(2026, 3, 29, 15, tzinfo=UTC)),
}

STEPS = (5, 7, 15, 30, 45, 60, 90, 420, 1000, 1440)

# The database is one for all examples of a test, which pytest's fixtures made: each example makes its own resource.
DETERMINISTIC = {
    "derandomize": True,
    "database": None,
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}
# With the database a failing example is shown as it was found: making it smaller would take minutes.
few = settings(max_examples=8, phases=[Phase.generate], **DETERMINISTIC)
several = settings(max_examples=12, phases=[Phase.generate], **DETERMINISTIC)
many = settings(max_examples=40, **DETERMINISTIC)


@st.composite
def spans(draw: st.DrawFn, origin: datetime, *, most: int = 8, longest_gap: int = 300) -> list[Span]:
    """Spans on whole minutes, in order, that never overlap and often touch, the first one around `origin`."""
    found: list[Span] = []
    position = origin + draw(st.integers(-600, 300)) * MINUTE
    for _ in range(draw(st.integers(0, most))):
        start = position + draw(st.one_of(st.just(0), st.integers(0, longest_gap))) * MINUTE
        position = start + draw(st.one_of(st.sampled_from([15, 30, 60]), st.integers(1, 500))) * MINUTE
        found.append((start, position))
    return found
