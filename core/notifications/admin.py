"""The admin of messages and preferences: the state of each message, and actions to resend or drop messages."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from core.notifications import messages as verbs
from core.notifications.models import Notification, NotificationPreferences
from core.outbox.models import State
from core.record.facts import lines_of, name_in
from core.record.series import is_of_series, series_lines_of
from core.staff.base import ForStaff
from core.staff.links import booking_link
from core.staff.moments import minutes, named

# The errors of reading facts that another version wrote.
UNREADABLE = (KeyError, TypeError, ValueError)


@admin.register(Notification)
class NotificationAdmin(ForStaff):
    """Messages."""

    list_display = ("kind", "booking", "receiver", "state", "tries", "last_error", "created", "next_try", "done")
    list_filter = ("state", "kind")
    list_select_related = ("user",)
    search_fields = ("to", "user__username", "user__email", "last_error")
    actions: ClassVar = ["resend", "drop"]
    fields = (
        *("kind", "booking", "receiver", "state", "tries", "last_error"),
        *("created", "next_try", "done", "contents"),
    )
    readonly_fields = fields

    class Media:
        css: ClassVar = {"all": ["core/admin/lists.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only events write messages."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Notification | None = None) -> bool:
        """Nobody edits a message, so its page has no buttons to save; the actions have a permission of their own."""
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """True for whoever may resend and drop messages."""
        return self.is_allowed(request)

    def has_delete_permission(self, request: HttpRequest, obj: Notification | None = None) -> bool:
        """Only the clean-up deletes messages; staff drop a waiting message instead."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Shows the numbers of waiting and failed messages in the title of the list."""
        counts = Notification.objects.filter(state__in=(State.WAITING, State.FAILED)).aggregate(
            waiting=Count("pk", filter=Q(state=State.WAITING)), failed=Count("pk", filter=Q(state=State.FAILED))
        )
        title = f"Messages: {counts['waiting']} waiting, {counts['failed']} failed"
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    @admin.display(description="receiver", ordering="to")
    def receiver(self, row: Notification) -> str:
        return f"{row.user.get_username()} <{row.to}>" if row.user else row.to or "nobody"

    @admin.display(description="booking", ordering="booking_id")
    def booking(self, row: Notification) -> str:
        """The name of the booking as the message tells it, the way to its page, and the number that mails write."""
        if row.booking_id is None:
            return "-"
        try:
            name = name_in(row.facts)
        except UNREADABLE:
            name = "Booking"
        return booking_link(row.booking_id, name)

    @admin.display(description="contents")
    def contents(self, row: Notification) -> str:
        """The facts in words; as they are stored if another version wrote them."""
        try:
            lines = series_lines_of(row.facts) if is_of_series(row.facts) else lines_of(row.facts)
        except UNREADABLE:
            lines = [str(row.facts)]
        return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines)) or "-"

    @admin.display(description=named("created"), ordering="created_at")
    def created(self, row: Notification) -> str:
        return minutes(row.created_at)

    @admin.display(description=named("next try"), ordering="due_at")
    def next_try(self, row: Notification) -> str:
        return minutes(row.due_at) if row.state == State.WAITING else "-"

    @admin.display(description=named("done"), ordering="done_at")
    def done(self, row: Notification) -> str:
        return minutes(row.done_at) if row.done_at else "-"

    @admin.action(permissions=["act"], description="Send selected messages again")
    def resend(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        self.report_changes(request, verbs.resend(queryset, now=timezone.now()), "to be sent again", queryset)

    @admin.action(permissions=["act"], description="Drop selected messages that wait")
    def drop(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        self.report_changes(request, verbs.drop(queryset, now=timezone.now()), "dropped", queryset)

    def report_changes(
        self, request: HttpRequest, changed: int, outcome: str, queryset: QuerySet[Notification]
    ) -> None:
        """Reports how many of the selected messages an action changed, and how many it left as they were."""
        self.report(request, {outcome: changed}, [])
        unchanged = len(queryset) - changed
        if unchanged:
            self.message_user(request, f"{unchanged} left as before: on their way, or done.", messages.INFO)


@admin.register(NotificationPreferences)
class NotificationPreferencesAdmin(ForStaff):
    """Preferences: the messages that each user wants."""

    list_display = ("user", "time_zone", "reminder_minutes", "refused_address", "unconfirmed_address")
    list_filter = (
        ("refused_address", admin.EmptyFieldListFilter),
        ("unconfirmed_address", admin.EmptyFieldListFilter),
    )
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email", "refused_address")
    autocomplete_fields = ("user",)
    ordering = ("user__username",)

    def get_fields(self, request: HttpRequest, obj: NotificationPreferences | None = None) -> list[str]:
        """The columns; the user of existing preferences is shown without a form field."""
        names = [field.name for field in self.opts.fields if field.name != "user"]
        return ["user" if obj is None else "owner", *names]

    def get_readonly_fields(self, request: HttpRequest, obj: NotificationPreferences | None = None) -> tuple[str, ...]:
        """Existing preferences never change their user."""
        return ("owner", "known_address") if obj is not None else ("known_address",)
