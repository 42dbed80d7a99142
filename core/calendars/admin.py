"""Calendar feeds in the admin: staff see whose they are and when they were last used, and revoke them."""

from django.contrib import admin
from django.http import HttpRequest

from core.calendars.models import CalendarFeed
from core.staff.base import ForStaff


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ForStaff):
    """Feeds; their addresses are known to their owners alone."""

    list_display = ("id", "user", "resource", "names", "created_at", "last_used_on")
    list_filter = ("names",)
    list_select_related = ("user", "resource")
    search_fields = ("user__username", "resource__name")
    date_hierarchy = "created_at"
    readonly_fields = ("user", "resource", "names", "created_at", "last_used_on")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: the secret is shown to the owner, through the API."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: CalendarFeed | None = None) -> bool:
        """Nobody: a feed is revoked and made anew."""
        return False
