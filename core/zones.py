"""Time zones by their IANA names."""

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.core.exceptions import ValidationError

DEFAULT_ZONE = "UTC"

# Files in the folder of the time zones that are no time zone.
NO_ZONES = {"Factory", "localtime", "posixrules"}


@cache
def zone_names() -> frozenset[str]:
    """The names of the known time zones; look a name up here before opening a file of that name."""
    return frozenset(available_timezones() - NO_ZONES)


def require_zone(name: str) -> None:
    """Checks that a text is the name of a time zone.

    Raises:
        ValidationError: When this server knows no time zone of that name.
    """
    if name not in zone_names():
        raise ValidationError("This is no IANA time zone, such as Europe/Berlin or UTC.", code="invalid")


def zone_named(name: str) -> ZoneInfo:
    """The time zone of a stored name; UTC if this server no longer knows the name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(DEFAULT_ZONE)
