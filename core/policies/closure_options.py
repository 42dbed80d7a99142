"""What the page that asks about a closure says: the choices, and what each would do."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from django.utils import timezone

from core.choices import OnConflict
from core.errors import Clash
from core.intervals import Interval, in_short, name_of
from core.lifecycle import Plan, Preview
from core.models import Resource

# A page names so many parts of time.
NAMED = 20


@dataclass(frozen=True, slots=True)
class Option:
    """A choice on the page that asks.

    Attributes:
        outcome: What the choice does.
        parts: The time that it closes, as far as the page names it.
    """

    value: str
    label: str
    is_possible: bool
    is_chosen: bool
    outcome: str
    parts: list[str]


def slot_in_short(slot: Interval) -> str:
    """A slot in the zone of the reader."""
    return in_short(slot, timezone.get_current_timezone())


def name_of_clash(clash: Clash) -> str:
    """The name of a booking in the way, or of the part of another closure, in the zone of the reader."""
    return name_of(clash.resource_name, clash.slot, clash.username or "closed", timezone.get_current_timezone())


def digest_of(preview: Preview) -> str:
    """A digest of what is in the way."""
    text = ",".join(f"{clash.kind} {clash.id} {clash.resource_id} {clash.slot}" for clash in preview.clashes)
    return sha256(text.encode()).hexdigest()


def options_of(preview: Preview, *, chosen: str | None) -> Iterator[Option]:
    """The choices, each with what it would do."""
    names = {clash.resource_id: clash.resource_name for clash in preview.clashes}
    parts = [resource for plan in preview.plans.values() for resource, _ in plan.parts if resource not in names]
    names |= dict(Resource.objects.filter(pk__in=parts).values_list("pk", "name"))
    for word, plan in preview.plans.items():
        times = [f"{names[resource]}, {slot_in_short(part)}" for resource, part in plan.parts if resource in names]
        if len(times) > NAMED:
            times = [*times[:NAMED], f"and {len(times) - NAMED} more"]
        is_possible = plan.is_possible or word == OnConflict.REFUSE
        is_chosen = word == (chosen if chosen in OnConflict.values else OnConflict.REFUSE)
        yield Option(word.value, word.label, is_possible, is_chosen, outcome_of(word, plan), times)


def outcome_of(word: OnConflict, plan: Plan) -> str:
    """What a choice would do."""
    if word == OnConflict.REFUSE:
        return "Nothing is stored, and everything stays as it is."
    if not plan.is_possible:
        return (
            "Not possible: another closure is in the way. Lift that one first."
            if word == OnConflict.CANCEL
            else "Not possible: no time is free around them."
        )
    if word == OnConflict.AROUND:
        return "The bookings stay. Closed is:"
    number = len(plan.cancelled)
    told = (
        "1 booking is cancelled, and its owner is"
        if number == 1
        else f"{number} bookings are cancelled, and their owners are"
    )
    return f"{told} told by e-mail, with the reason. Closed is:"
