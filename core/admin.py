"""The admin of resources and bookings: another face of the same verbs."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import Truncator

from core import lifecycle
from core.accounts import admin as accounts_admin  # noqa: F401 - accounts and profiles
from core.calendars import admin as calendars_admin  # noqa: F401 - calendar feeds
from core.choices import BookingStatus
from core.errors import BookingError, in_words
from core.lifecycle import Changes
from core.models import Booking, Resource
from core.notifications import admin as notifications_admin  # noqa: F401 - messages and preferences
from core.staff.base import ForStaff, bookings_link, minutes, on_one_line
from core.staff.forms import RefusableForm, UnchangingField

CHANGED_MEANWHILE = "Somebody changed this booking after you opened it. Reload the page to see it as it is now."


@admin.register(Resource)
class ResourceAdmin(ForStaff):
    """Resources, and whether they are free now."""

    list_display = ("name", "capacity", "is_available", "requires_approval", "bookings")
    list_filter = ("is_available", "requires_approval")
    search_fields = ("name", "description")
    readonly_fields = ("bookings",)

    def get_fields(self, request: HttpRequest, obj: Resource | None = None) -> list[str]:
        """The fields; a resource that is there has bookings to look at, too."""
        names = ["name", "description", "capacity", "is_available", "requires_approval"]
        return [*names, "bookings"] if obj else names

    @admin.display(description="bookings")
    def bookings(self, resource: Resource) -> str:
        """The way to its bookings."""
        return bookings_link("Show bookings", resource=resource.pk)

    def delete_model(self, request: HttpRequest, obj: Resource) -> None:
        """Remove one that was never booked."""
        lifecycle.delete_resource(obj)

    def get_deleted_objects(
        self, objs: QuerySet[Resource] | list[Resource], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """What a removal would take along; resources with bookings stand in its way, with advice."""
        booked = Resource.objects.filter(pk__in=[resource.pk for resource in objs])
        booked = booked.annotate(number=Count("bookings")).filter(number__gt=0)
        in_the_way = [
            f"{resource.number} booking{'' if resource.number == 1 else 's'} of {resource}. A resource that has "
            "bookings cannot be deleted: untick “is available” to take it out of service instead."
            for resource in booked
        ]
        return ([], {}, set(), in_the_way) if in_the_way else super().get_deleted_objects(objs, request)


class BookingForm(RefusableForm):
    """A booking. Its rules are the verbs', which the admin calls when the form itself is in order."""

    start_time = forms.SplitDateTimeField(label="Start (UTC)", widget=AdminSplitDateTime)
    end_time = forms.SplitDateTimeField(label="End (UTC)", widget=AdminSplitDateTime)
    seen = UnchangingField(required=False)

    class Meta:
        model = Booking
        fields = ("user", "resource", "start_time", "end_time", "status", "notes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            given = ("", "as the resource gives it")
            self.fields["status"] = forms.ChoiceField(
                choices=[given, *BookingStatus.choices],
                required=False,
                help_text="A resource that requires approval gives pending, another one confirmed.",
            )
            self.initial.pop("status", None)
        else:
            self.initial["seen"] = self.as_seen(self.instance.updated_at)

    def as_seen(self, moment: datetime) -> str:
        """The moment of the last change, in the form that the page carries."""
        return moment.isoformat()

    def clean_seen(self) -> str:
        """The moment of the last change when the form was opened.

        Raises:
            ValidationError: When somebody changed the booking since.
        """
        seen = self.cleaned_data["seen"]
        if seen and self.instance.pk is not None and seen != self.as_seen(self.instance.updated_at):
            raise ValidationError(CHANGED_MEANWHILE, code="changed_meanwhile")
        return seen

    def _get_validation_exclusions(self) -> set[str]:
        # Without its times, none of the model's constraints is checked: the verbs check the same rules under lock, with
        # the stored fractions of a second, and name the clash.
        return super()._get_validation_exclusions() | {"start_time", "end_time"}

    @property
    def changes(self) -> Changes:
        """What was typed; a field that was left alone stays as it is stored, with what the form cannot show of it."""
        named = {"resource": "resource_id"}
        typed = {name: self.cleaned_data[name] for name in self.changed_data if name in self.Meta.fields}
        if "resource" in typed:
            typed["resource"] = typed["resource"].pk
        return Changes(**{named.get(name, name): value for name, value in typed.items()})


class PeriodFilter(admin.SimpleListFilter):
    """Bookings to come, running, over."""

    title = "time"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """The choices."""
        return [("upcoming", "to come"), ("running", "running now"), ("over", "over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        """The bookings of that period."""
        now = timezone.now()
        periods = {
            "upcoming": {"start_time__gt": now},
            "running": {"start_time__lte": now, "end_time__gt": now},
            "over": {"end_time__lte": now},
        }
        return queryset.filter(**periods.get(self.value() or "", {}))


class ResourceFilter(admin.RelatedFieldListFilter):
    """Bookings of one resource; the page names some, and the list of resources leads to those of all others."""

    most = 100

    def field_choices(
        self, field: models.ForeignKey, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> list[tuple[int, str]]:
        """The first ones by name."""
        return list(Resource.objects.values_list("pk", "name")[: self.most])

    def has_output(self) -> bool:
        """Always: Django ignores the filter of an address where it shows no choices."""
        return True


@admin.register(Booking)
class BookingAdmin(ForStaff):
    """Bookings. Whatever is written here goes through the verbs, which check, lock and tell those concerned."""

    form = BookingForm
    list_display = ("when", "resource_bookings", "user_bookings", "status", "beginning_of_notes", "created")
    list_filter = ("status", PeriodFilter, ("resource", ResourceFilter))
    list_select_related = ("resource", "user")
    date_hierarchy = "start_time"
    ordering = ("-start_time", "-id")
    search_fields = (
        "resource__name",
        "user__username",
        "user__first_name",
        "user__last_name",
        "user__email",
        "notes",
    )
    search_help_text = "Searches resources, users and notes."
    autocomplete_fields = ("user", "resource")
    actions: ClassVar = ["confirm", "reject", "cancel", "delete_selected"]

    # --- Columns ------------------------------------------------------------------------------------------------------

    @admin.display(description="when (UTC)", ordering="start_time")
    def when(self, booking: Booking) -> str:
        """The slot."""
        return on_one_line(in_words(booking.slot))

    @admin.display(description="resource", ordering="resource__name")
    def resource_bookings(self, booking: Booking) -> str:
        """The resource, and the way to all its bookings."""
        return bookings_link(booking.resource.name, resource=booking.resource_id)

    @admin.display(description="user", ordering="user__username")
    def user_bookings(self, booking: Booking) -> str:
        """The user, and the way to all their bookings."""
        return bookings_link(booking.user.get_username(), user=booking.user_id)

    @admin.display(description="notes")
    def beginning_of_notes(self, booking: Booking) -> str:
        """As much of the notes as fits."""
        return Truncator(booking.notes).chars(40)

    @admin.display(description="created (UTC)", ordering="created_at")
    def created(self, booking: Booking) -> str:
        """When it was made."""
        return minutes(booking.created_at)

    @admin.display(description="last changed (UTC)", ordering="updated_at")
    def changed(self, booking: Booking) -> str:
        """When it was changed last."""
        return minutes(booking.updated_at)

    # --- The form -----------------------------------------------------------------------------------------------------

    def get_fieldsets(
        self, request: HttpRequest, obj: Booking | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        """What is asked; of a booking that is there also when it was made and changed."""
        time = {"fields": ["start_time", "end_time"], "description": "All times are in UTC."}
        about: dict[str, Any] = {"fields": ["user", "resource"]}
        more: dict[str, Any] = {"fields": ["status", "notes"]}
        if obj is not None:
            more["fields"] = [*more["fields"], "created", "changed", "seen"]
        return [(None, about), ("Time", time), (None, more)]

    def get_readonly_fields(self, request: HttpRequest, obj: Booking | None = None) -> tuple[str, ...]:
        """A booking is never handed over to another user."""
        return ("user", "created", "changed") if obj is not None else ()

    def save_model(self, request: HttpRequest, obj: Booking, form: BookingForm, change: bool) -> None:  # noqa: FBT001
        """Book as a record of what happened, or change what was typed."""
        now = timezone.now()
        if change:
            lifecycle.change(obj, changes=form.changes, by=request.user, now=now)
            return
        data = form.cleaned_data
        made = lifecycle.book(
            user=data["user"],
            resource_id=data["resource"].pk,
            start_time=data["start_time"],
            end_time=data["end_time"],
            status=data["status"] or None,
            notes=data["notes"],
            by=request.user,
            now=now,
            as_record=True,
        )
        obj.pk, obj.status = made.pk, made.status
        obj._state.adding = False

    def delete_model(self, request: HttpRequest, obj: Booking) -> None:
        """Remove the row; its owner is told where that is a cancellation."""
        lifecycle.remove(obj, by=request.user, now=timezone.now())

    # --- Bulk actions -------------------------------------------------------------------------------------------------

    @admin.action(permissions=["change"], description="Confirm selected bookings")
    def confirm(self, request: HttpRequest, queryset: QuerySet[Booking]) -> None:
        """Confirm each."""
        self.bring_to(BookingStatus.CONFIRMED, request, queryset)

    @admin.action(permissions=["change"], description="Reject selected bookings")
    def reject(self, request: HttpRequest, queryset: QuerySet[Booking]) -> None:
        """Reject each."""
        self.bring_to(BookingStatus.REJECTED, request, queryset)

    @admin.action(permissions=["change"], description="Cancel selected bookings")
    def cancel(self, request: HttpRequest, queryset: QuerySet[Booking]) -> None:
        """Cancel each that blocks its slot."""
        self.bring_to(BookingStatus.CANCELLED, request, queryset, verb=self.call_off)

    def call_off(self, booking: Booking, *, changes: Changes, **who_and_when: Any) -> Booking:  # noqa: ANN401
        """The verb for cancelling, in the form of the one for changing."""
        return lifecycle.cancel(booking, **who_and_when)

    def bring_to(
        self,
        status: BookingStatus,
        request: HttpRequest,
        queryset: QuerySet[Booking],
        *,
        verb: Callable[..., Booking] = lifecycle.change,
    ) -> None:
        """Bring each booking to a status in a transaction of its own, and tell what was refused and why."""
        done, left, refused = 0, 0, []
        for booking in queryset.in_full().order_by("start_time", "pk"):
            try:
                with transaction.atomic():
                    after = verb(booking, changes=Changes(status=status), by=request.user, now=timezone.now())
                    changed = after.status == status != booking.status
                    if changed:
                        self.log_change(request, after, f"Status changed from {booking.status} to {after.status}.")
            except BookingError as error:
                refused.append(f"{self.describe(booking)}: {error.message}")
            else:
                done += changed
                left += not changed
        self.report(request, {status.label: done}, refused)
        if left:
            were = "1 booking was" if left == 1 else f"{left} bookings were"
            self.message_user(request, f"{were} left as before: nothing to do there.", messages.INFO)

    def describe(self, obj: Booking) -> str:
        """What a report calls it."""
        return f"Booking {obj.pk} ({obj.resource}, {in_words(obj.slot)} UTC, {obj.user})"
