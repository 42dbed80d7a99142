"""Time zones by their IANA names."""

from functools import cache
from zoneinfo import available_timezones

# Files beside the zones: no zone, this computer's own, and the rules for zones that have none.
NO_ZONES = {"Factory", "localtime", "posixrules"}


@cache
def zone_names() -> frozenset[str]:
    """The names that there are; a name is looked up here before a file of that name is."""
    return frozenset(available_timezones() - NO_ZONES)
