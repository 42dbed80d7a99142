"""Links to bookings, by the names of the admin's addresses."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


def bookings_link(text: str, **lookups: object) -> SafeString:
    """A link to the list of bookings, filtered by lookups such as `resource__id__exact=3`."""
    query = "&".join(f"{lookup}={value}" for lookup, value in lookups.items())
    return format_html('<a href="{}?{}">{}</a>', reverse("admin:core_booking_changelist"), query, text)


def booking_link(booking_id: int, name: str, *, more: str = "", is_there: bool = True) -> SafeString:
    """The name of a booking, with the way to its page, and its number below it.

    Args:
        booking_id: The number.
        name: The name, or whatever stands for it.
        more: What follows the number.
        is_there: False for a booking that staff have removed.
    """
    page = reverse("admin:core_booking_change", args=[booking_id])
    linked = format_html('<a href="{}">{}</a>', page, name) if is_there else name
    number = format_html('<span class="nowrap">no. {}</span>', booking_id)
    return format_html("{}<br><small>{}{}{}</small>", linked, number, ", " if more else "", more)
