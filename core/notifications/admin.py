"""The admin of messages and preferences: the state of each message, and actions to resend or drop messages."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from core.notifications import messages as verbs
from core.notifications.models import Notification, NotificationPreferences
from core.outbox.models import State
from core.staff.base import ForStaff, minutes


@admin.register(Notification)
class NotificationAdmin(ForStaff):
    """Messages."""

    list_display = ("kind", "receiver", "state", "tries", "last_error", "created", "next_try", "done")
    list_filter = ("state", "kind")
    list_select_related = ("user",)
    search_fields = ("to", "user__username", "user__email", "last_error")
    actions: ClassVar = ["resend", "drop"]
    fields = (
        *("kind", "receiver", "booking_id", "state", "tries", "last_error"),
        *("created", "next_try", "done", "facts"),
    )
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only events write messages."""
        return False

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

    @admin.display(description="created (UTC)", ordering="created_at")
    def created(self, row: Notification) -> str:
        return minutes(row.created_at)

    @admin.display(description="next try (UTC)", ordering="due_at")
    def next_try(self, row: Notification) -> str | None:
        return minutes(row.due_at) if row.state == State.WAITING else None

    @admin.display(description="done (UTC)", ordering="done_at")
    def done(self, row: Notification) -> str | None:
        return minutes(row.done_at) if row.done_at else None

    @admin.action(permissions=["change"], description="Send selected messages again")
    def resend(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        self.report_changes(request, verbs.resend(queryset, now=timezone.now()), "to be sent again", queryset)

    @admin.action(permissions=["change"], description="Drop selected messages that wait")
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

    list_display = ("user", "time_zone", "reminder_minutes", "refused_address")
    list_filter = (("refused_address", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email", "refused_address")
    autocomplete_fields = ("user",)
    ordering = ("user__username",)

    def get_readonly_fields(self, request: HttpRequest, obj: NotificationPreferences | None = None) -> tuple[str, ...]:
        """Existing preferences never change their user."""
        return ("user", "known_address") if obj is not None else ("known_address",)
