"""The terms of a resource: its policy, opening hours and exceptions, and the quotas of those who book it.

`attach_terms` reads the terms of any number of resources in one statement. It needs none where the flags on their rows
say that there are no terms, or their version says that this process knows the terms. `terms_of` reads those of one
resource when nobody has attached them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson

from core.choices import QuotaKind, QuotaPeriod
from core.hours import Period, SpecialDays, Timetable
from core.intervals import FIRST_MOMENT
from core.models import Resource
from core.querysets import TERMS
from core.zones import zone_of

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits of a resource; None is "no such rule"."""

    min_minutes: int | None = None
    max_minutes: int | None = None
    grid_minutes: int | None = None
    notice_minutes: int | None = None
    change_notice_minutes: int | None = None
    cancel_notice_minutes: int | None = None
    advance_days: int | None = None
    buffer_before_minutes: int | None = None
    buffer_after_minutes: int | None = None
    may_span_closed: bool | None = None
    no_own_overlap: bool | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """A quota; see the model `Quota`."""

    id: int
    group_id: int | None
    resource_id: int | None
    kind: QuotaKind
    period: QuotaPeriod | None
    limit: int


@dataclass(frozen=True, slots=True)
class Terms:
    """All rules that staff set for one resource, those for all resources included.

    Attributes:
        shape_slots: True if the terms refuse some slots of a free resource, whoever asks.
    """

    policy: Policy
    timetable: Timetable
    quotas: tuple[Limit, ...]
    shape_slots: bool

    @property
    def zone(self) -> ZoneInfo:
        return self.timetable.zone


# The limits that refuse some slots of a free resource.
SHAPING = (
    "min_minutes",
    "max_minutes",
    "grid_minutes",
    "notice_minutes",
    "advance_days",
    "buffer_before_minutes",
    "buffer_after_minutes",
)
NO_POLICY = Policy()
MOST_KEPT = 20_000
NOTHING = ("",) * len(TERMS)


class Facts(NamedTuple):
    """What has to be known of a resource before its terms are read."""

    id: int
    time_zone: str | None
    has_terms: bool
    house_has_terms: bool
    terms_version: int


class Kept(NamedTuple):
    """The JSON texts of the terms of a resource from a day on, in memory, with the version of these terms."""

    version: int
    first_day: date
    texts: tuple[str, ...]


# The texts that this process has read, by the id of the resource. It forgets them all when there are too many.
_kept: dict[int, Kept] = {}


def attach_terms(resources: Iterable[Resource], *, since: datetime) -> None:
    """Attaches the terms to resources that were read by `with_house`; at most one statement, none without terms.

    Args:
        resources: The resources, with the annotations of `with_house`.
        since: The earliest moment that anybody asks about; older exceptions may be left out.
    """
    resources = list(resources)
    terms = read_terms([facts_of(each) for each in resources], since=since)
    for resource in resources:
        resource.terms = terms[resource.pk]


def facts_of(resource: Resource) -> Facts:
    """The facts of a resource that was read by `with_house`."""
    return Facts(*(getattr(resource, name) for name in Facts._fields))


def read_terms(resources: Sequence[Facts], *, since: datetime) -> dict[int, Terms]:
    """The terms of resources by id.

    Terms that this process has read before, in the same version, cost no statement; those of all others cost one.

    Args:
        resources: What is known of the resources.
        since: The earliest moment that anybody asks about; older exceptions may be left out.
    """
    first_day = (max(since, FIRST_MOMENT + 2 * DAY).astimezone(UTC) - 2 * DAY).date()
    ruled = [each for each in resources if each.has_terms]
    if not ruled:
        # The rules for all resources come with any of them.
        ruled = [each for each in resources[:1] if each.house_has_terms]
    texts = {each.id: kept_texts(each, first_day) for each in ruled}
    missing = [id for id, found in texts.items() if found is None]
    if missing:
        texts |= read_texts(missing, first_day)
    house = next((found for found in texts.values() if found), NOTHING)[-2:]
    usual = (*NOTHING[:4], *house)
    return {each.id: make_terms(zone_of(each.time_zone), *(texts.get(each.id) or usual)) for each in resources}


def terms_are_known() -> bool:
    """True if this process has read terms of any resource: most likely there still are some."""
    return bool(_kept)


def forget_terms() -> None:
    """Forgets the terms that this process has read: there seem to be none any more."""
    _kept.clear()


def kept_texts(facts: Facts, first_day: date) -> tuple[str, ...] | None:
    """The texts in memory, if they are of the same version and reach back far enough."""
    kept = _kept.get(facts.id)
    is_right = kept is not None and kept.version == facts.terms_version and kept.first_day <= first_day
    return kept.texts if kept is not None and is_right else None


def read_texts(ids: Collection[int], first_day: date) -> Mapping[int, tuple[str, ...]]:
    """The texts of resources, read and kept; one statement, so that they are of the version that comes with them."""
    rows = Resource.objects.order_by().filter(pk__in=ids).with_terms(since=first_day)
    found = {}
    for pk, version, *texts in rows.values_list("pk", "terms_version", *TERMS):
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        found[pk] = tuple(one_of_equals(text or "") for text in texts)
        _kept[pk] = Kept(version, first_day, found[pk])
    return found


@lru_cache(maxsize=4096)
def one_of_equals(text: str) -> str:
    """The text, as the object that was first of those that are equal: resources often share texts."""
    return text


def terms_of(resource: Resource) -> Terms:
    """The terms of a resource; reads them where nobody has attached them, from yesterday on."""
    if "terms" not in resource.__dict__:
        if resource._state.adding:
            return make_terms(zone_of(resource.time_zone), *NOTHING)
        if "house_has_terms" not in resource.__dict__:
            resource.house_has_terms = True
        attach_terms([resource], since=datetime.now(UTC))
    terms: Terms = resource.terms
    return terms


@lru_cache(maxsize=4096)
def make_terms(
    zone: ZoneInfo, policy: str, hours: str, exceptions: str, quotas: str, exceptions_of_all: str, quotas_of_all: str
) -> Terms:
    """The terms from their JSON texts; the same texts give the same object, whose days are worked out once."""
    limits, timetable = policy_in(rows_in(policy)), make_timetable(zone, hours, exceptions, exceptions_of_all)
    return Terms(
        policy=limits,
        timetable=timetable,
        quotas=tuple(limit_in(row) for row in (*rows_in(quotas), *rows_in(quotas_of_all))),
        shape_slots=not timetable.always_open or any(getattr(limits, name) is not None for name in SHAPING),
    )


@lru_cache(maxsize=4096)
def make_timetable(zone: ZoneInfo, hours: str, exceptions: str, of_all: str) -> Timetable:
    """The timetable from its JSON texts."""
    week: dict[int, list[Period]] = {}
    for row in rows_in(hours):
        week.setdefault(row["weekday"], []).append(Period(*map(time.fromisoformat, (row["opens"], row["closes"]))))
    special = [
        *(special_in(row, of_all=False) for row in rows_in(exceptions)),
        *(special_in(row, of_all=True) for row in rows_in(of_all)),
    ]
    return Timetable(zone, week, special)


def rows_in(text: str) -> list[dict[str, Any]]:
    """The rows of a JSON text."""
    rows: list[dict[str, Any]] = orjson.loads(text) if text else []
    return rows


def policy_in(rows: list[dict[str, Any]]) -> Policy:
    """The policy of a resource; SQLite has no booleans."""
    if not rows:
        return NO_POLICY
    (row,) = rows
    flags = {name: None if row[name] is None else bool(row[name]) for name in ("may_span_closed", "no_own_overlap")}
    return Policy(**{**row, **flags})


def special_in(row: Mapping[str, Any], *, of_all: bool) -> SpecialDays:
    """The special days of an exception."""
    periods = [Period(*map(time.fromisoformat, pair)) for pair in row["hours"]]
    first_day, last_day = (date.fromisoformat(row[name]) for name in ("first_day", "last_day"))
    return SpecialDays(first_day, last_day, row["name"], tuple(sorted(periods, key=lambda each: each.opens)), of_all)


def limit_in(row: Mapping[str, Any]) -> Limit:
    """The quota of a row."""
    kind, period = QuotaKind(row["kind"]), row["period"]
    return Limit(**{**row, "kind": kind, "period": None if period is None else QuotaPeriod(period)})
