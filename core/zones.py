"""Time zones by their IANA names, and the zone of the house."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError

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


def house_zone() -> ZoneInfo:
    """The time zone of the house, from the setting `TIME_ZONE`."""
    return ZoneInfo(settings.HOUSE_TIME_ZONE)


def zone_of(name: str | None) -> ZoneInfo:
    """The time zone of a stored name; the house's for None, and if this server no longer knows the name."""
    try:
        return ZoneInfo(name) if name else house_zone()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return house_zone()


def moment_at(local: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment in UTC at which the clocks of a zone show a naive time; None for a time that the clocks skip.

    In the hour that the clocks repeat, the time has two moments, and the first one is meant (RFC 5545, section 3.3.5).

    Raises:
        OverflowError: When the moment is outside of the years 1 to 9999.
    """
    moment = moment_by_first_offset(local, zone)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local else None


def moment_by_first_offset(local: datetime, zone: ZoneInfo) -> datetime:
    """The moment in UTC of a naive time: the first of two, and by the offset before the gap for a time that is skipped.

    RFC 5545, section 3.3.5, reads a time so.

    Raises:
        OverflowError: When the moment is outside of the years 1 to 9999.
    """
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)
