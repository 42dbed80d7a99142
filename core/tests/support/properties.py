"""Examples for property tests: the same ones in every run, few enough for every run."""

from datetime import datetime, timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from core.tests.support.oracle import Span

MINUTE = timedelta(minutes=1)

# A zone far east, one far west, one that shifts by half an hour, one that never does, one with an odd offset.
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo", "Asia/Kathmandu")
STEPS = (5, 7, 15, 30, 45, 60, 90, 420, 1000, 1440)

# The database is one for all examples of a test, which pytest's fixtures made: each example makes its own resource.
DETERMINISTIC = {
    "derandomize": True,
    "database": None,
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}
# With the database a failing example is shown as it was found: making it smaller would take minutes.
few = settings(max_examples=12, phases=[Phase.generate], **DETERMINISTIC)
many = settings(max_examples=60, **DETERMINISTIC)


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
