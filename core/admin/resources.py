"""The admin of resources: another face of the same verbs."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from core import lifecycle
from core.choices import BookingStatus, Kind
from core.models import Booking, Resource
from core.staff.base import ForStaff, bookings_link


@admin.register(Resource)
class ResourceAdmin(ForStaff):
    """Resources."""

    list_display = ("name", "capacity", "is_available", "requires_approval", "bookings")
    list_filter = ("is_available", "requires_approval")
    search_fields = ("name", "description")
    readonly_fields = ("bookings",)

    def get_fields(self, request: HttpRequest, obj: Resource | None = None) -> list[str]:
        """The fields; an existing resource also has a link to its bookings."""
        names = ["name", "description", "capacity", "is_available", "requires_approval", "reason_required"]
        return [*names, "bookings"] if obj else names

    @admin.display(description="bookings")
    def bookings(self, resource: Resource) -> str:
        return bookings_link("Show bookings", resource__id__exact=resource.pk)

    def save_model(self, request: HttpRequest, obj: Resource, form: ModelForm, change: bool) -> None:  # noqa: FBT001
        """Saves the resource, and says how many bookings still wait when their approval was switched off."""
        super().save_model(request, obj, form, change)
        waiting = Booking.objects.filter(resource=obj, status=BookingStatus.PENDING).ending_after(timezone.now())
        number = waiting.count() if "requires_approval" in form.changed_data and not obj.requires_approval else 0
        if number:
            sentence = "1 booking still waits" if number == 1 else f"{number} bookings still wait"
            link = bookings_link(
                f"{sentence} for approval", resource__id__exact=obj.pk, status__exact=BookingStatus.PENDING.value
            )
            self.message_user(request, format_html("{} of {}.", link, obj), messages.WARNING)

    def delete_model(self, request: HttpRequest, obj: Resource) -> None:
        """Deletes the resource by the verb, which refuses when the resource has bookings."""
        lifecycle.delete_resource(obj)

    def get_deleted_objects(
        self, objs: QuerySet[Resource] | list[Resource], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """The objects that a deletion removes; each resource with bookings is a protected object, with advice."""
        booked = Resource.objects.filter(pk__in=[resource.pk for resource in objs])
        only_bookings = Q(bookings__kind=Kind.BOOKING)
        booked = booked.annotate(number=Count("bookings", filter=only_bookings)).filter(number__gt=0)
        protected = [
            f"{resource.number} booking{'' if resource.number == 1 else 's'} of {resource}. A resource that has "
            "bookings cannot be deleted: untick “is available” to take it out of service instead."
            for resource in booked
        ]
        if protected:
            return [], {}, set(), protected
        # The verb deletes the rows of closures, too; Django would call them protected.
        rows, counts, missing, _ = super().get_deleted_objects(objs, request)
        return rows, counts, missing, []
