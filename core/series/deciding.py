"""What staff want of the dates of a series: read from the form of a page."""

from dataclasses import dataclass

from django.http import QueryDict

from core.choices import Decision
from core.staff.forms import is_key

# The buttons that are about all dates to come have this word after the decision.
WHOLE = "cancel_all"
# A series has fewer dates.
MOST_TICKED = 1_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A decision about dates of a series.

    Attributes:
        decision: The decision.
        is_whole: Whether it is about all dates to come, and not about ticked ones.
        is_sure: Whether staff have seen the page that asks.
        ids: The ids of the ticked bookings; None if they cannot be read.
    """

    decision: Decision
    is_whole: bool
    is_sure: bool
    ids: frozenset[int] | None


def wanted_in(sent: QueryDict) -> Wanted | None:
    """The decision whose button was pressed; None without one."""
    is_whole = WHOLE in sent
    decision = Decision.CANCEL if is_whole else next((each for each in Decision if each.value in sent), None)
    if decision is None:
        return None
    keys = sent.getlist("ids")
    can_be_read = len(keys) <= MOST_TICKED and all(map(is_key, keys))
    ids = frozenset(map(int, keys)) if can_be_read else None
    return Wanted(decision, is_whole=is_whole, is_sure="sure" in sent, ids=ids)
