"""Calendar feeds in the admin: staff see the owner and the last use of each feed, and revoke feeds."""

from django.contrib import admin
from django.http import HttpRequest

from core.calendars.models import CalendarFeed
from core.staff.base import ForStaff


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ForStaff):
    """Calendar feeds; only the owner of a feed knows its URL."""

    list_display = ("id", "user", "resource", "names", "created_at", "last_used_on")
    list_filter = ("names",)
    list_select_related = ("user", "resource")
    search_fields = ("user__username", "resource__name")
    date_hierarchy = "created_at"
    fields = readonly_fields = ("owner", "resource", "names", "created_at", "last_used_on")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Feeds are created through the API, which shows the secret to the owner."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: CalendarFeed | None = None) -> bool:
        """A feed is never edited: staff revoke it, and the owner creates another one."""
        return False
