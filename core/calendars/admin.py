"""Calendar feeds in the admin: staff see the owner and the last use of each feed, and revoke feeds."""

from datetime import date

from django.contrib import admin
from django.http import HttpRequest

from core.calendars.models import CalendarFeed
from core.staff.base import ForStaff
from core.staff.moments import minutes, named


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ForStaff):
    """Calendar feeds; only the owner of a feed knows its URL."""

    list_display = ("id", "user", "resource", "names", "created", "last_used_day")
    list_filter = ("names",)
    list_select_related = ("user", "resource")
    search_fields = ("user__username", "resource__name")
    date_hierarchy = "created_at"
    fields = readonly_fields = ("owner", "resource", "names", "created", "last_used_day")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Feeds are created through the API, which shows the secret to the owner."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: CalendarFeed | None = None) -> bool:
        """A feed is never edited: staff revoke it, and the owner creates another one."""
        return False

    @admin.display(description=named("created"), ordering="created_at")
    def created(self, feed: CalendarFeed) -> str:
        return minutes(feed.created_at)

    @admin.display(description="last used on (day in UTC)", ordering="last_used_on")
    def last_used_day(self, feed: CalendarFeed) -> date | None:
        return feed.last_used_on
