"""Time zones by their IANA names."""

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.core.exceptions import ValidationError

DEFAULT_ZONE = "UTC"

# Files beside the zones: no zone, this computer's own, and the rules for zones that have none.
NO_ZONES = {"Factory", "localtime", "posixrules"}


@cache
def zone_names() -> frozenset[str]:
    """All names known here; look a name up here before opening a file of that name."""
    return frozenset(available_timezones() - NO_ZONES)


def require_zone(name: str) -> None:
    """Refuse a text that names no time zone.

    Raises:
        ValidationError: When this server knows no zone of that name.
    """
    if name not in zone_names():
        raise ValidationError("This is no IANA time zone, such as Europe/Berlin or UTC.", code="invalid")


def zone_named(name: str) -> ZoneInfo:
    """The time zone; UTC where this computer no longer knows the name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(DEFAULT_ZONE)
