"""The time zones of users."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError

from core.zones import zone_names

DEFAULT_ZONE = "UTC"


def require_zone(name: str) -> None:
    """Refuse what is no name of a time zone.

    Raises:
        ValidationError: When this server knows none of that name.
    """
    if name not in zone_names():
        raise ValidationError("This is no IANA time zone, such as Europe/Berlin or UTC.", code="invalid")


def zone_named(name: str) -> ZoneInfo:
    """The time zone; UTC where this computer does not know it any more."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(DEFAULT_ZONE)
