"""The admin of resources: another face of the same verbs."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.forms import BaseModelFormSet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from core import lifecycle
from core.choices import BookingStatus, Kind
from core.exports.admin import ExportedAdmin
from core.exports.tables import RESOURCES
from core.models import Booking, OpeningException, Resource
from core.policies import writing
from core.policies.admin import ExceptionInline, QuotaInline, save_exception, save_quota, tell_unfit
from core.policies.picture import open_time
from core.policies.resource_form import DAYS, ResourceForm
from core.staff.base import ForStaff
from core.staff.links import bookings_link
from core.zones import zone_of


@admin.register(Resource)
class ResourceAdmin(ExportedAdmin, ForStaff):
    """Resources."""

    list_display = ("name", "capacity", "is_available", "requires_approval", "bookings")
    list_filter = ("is_available", "requires_approval")
    search_fields = ("name", "description")
    readonly_fields = ("bookings", "ways_to_closures", "open_time")
    form = ResourceForm
    exported = RESOURCES
    inlines: ClassVar = [ExceptionInline, QuotaInline]

    class Media:
        css: ClassVar = {"all": ["core/admin/rules.css"]}

    # --- The form -----------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Resource]:
        """All resources, each with whether rules of all resources have to be read."""
        return super().get_queryset(request).with_house()

    def get_fieldsets(
        self, request: HttpRequest, obj: Resource | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        """The fields; an existing resource also has links to its bookings and closures, and a picture of its hours."""
        names = ["name", "description", "capacity", "is_available", "requires_approval", "reason_required", "time_zone"]
        hours = [*DAYS, "as_monday", "seen"]
        if obj:
            names += ["bookings", "ways_to_closures"]
            hours.append("open_time")
        limits = [
            ("min_minutes", "max_minutes"),
            ("grid_minutes", "advance_days"),
            ("buffer_before_minutes", "buffer_after_minutes"),
            ("notice_minutes",),
            ("change_notice_minutes", "cancel_notice_minutes"),
            "may_span_closed",
            "no_own_overlap",
        ]
        clock = f"by the clock of {zone_of(obj.time_zone if obj else None)}"
        about_hours = (
            f"Write 09:00-12:00, 13:00-17:00, {clock}. A closing at or before its opening is on the next day, and "
            "00:00-24:00 is the whole day. A day left empty is closed; with all seven empty it is always open."
        )
        about_limits = "They hold for new bookings and for changes; a booking that is there already stays as it is."
        return [
            (None, {"fields": names}),
            ("Opening hours", {"fields": hours, "description": about_hours}),
            ("Limits", {"fields": limits, "description": about_limits, "classes": ["limits"]}),
            ("Hours and limits of another resource", {"fields": ["copy_from"]}),
        ]

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Resource, inline: admin.TabularInline, prefix: str
    ) -> dict[str, Any]:
        """The input of a table; a table that was not sent stays as it is stored."""
        options = super().get_formset_kwargs(request, obj, inline, prefix)
        if "data" in options and f"{prefix}-TOTAL_FORMS" not in options["data"]:
            options["data"] = {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
        return options

    @admin.display(description="bookings")
    def bookings(self, resource: Resource) -> str:
        return bookings_link("Show bookings", resource__id__exact=resource.pk)

    @admin.display(description="closures")
    def ways_to_closures(self, resource: Resource) -> str:
        """The ways to the closures of the resource, and to a new one."""
        every, new = (reverse(f"admin:core_closure_{page}") for page in ("changelist", "add"))
        return format_html(
            '<a href="{}?resources__id__exact={}">Show closures</a>, <a href="{}?resources={}">close it</a>',
            *(every, resource.pk, new, resource.pk),
        )

    @admin.display(description="next two weeks")
    def open_time(self, resource: Resource) -> str:
        """A picture of the open time."""
        hours = [
            {"number": hour, "x": 60 * hour, "anchor": {0: "start", 24: "end"}.get(hour, "middle")}
            for hour in range(0, 25, 3)
        ]
        rows = open_time(resource, now=timezone.now())
        context = {"rows": rows, "hours": hours, "zone": zone_of(resource.time_zone)}
        return render_to_string("admin/core/resource/open_time.html", context)

    def save_model(self, request: HttpRequest, obj: Resource, form: ResourceForm, change: bool) -> None:  # noqa: FBT001
        """Saves what was edited, and says how many bookings still wait when their approval was switched off.

        Other columns than the edited ones are left alone: the verbs of the rules write some at the same time.
        """
        if change:
            writing.lock(obj.pk)
            columns = {field.name for field in Resource._meta.concrete_fields}
            edited = [name for name in form.changed_data if name in columns]
            if edited:
                obj.save(update_fields=[*edited, "updated_at"])
        else:
            super().save_model(request, obj, form, change)
        form.save_rules()
        waiting = Booking.objects.filter(resource=obj, status=BookingStatus.PENDING).ending_after(timezone.now())
        number = waiting.count() if "requires_approval" in form.changed_data and not obj.requires_approval else 0
        if number:
            sentence = "1 booking still waits" if number == 1 else f"{number} bookings still wait"
            link = bookings_link(
                f"{sentence} for approval", resource__id__exact=obj.pk, status__exact=BookingStatus.PENDING.value
            )
            self.message_user(request, format_html("{} of {}.", link, obj), messages.WARNING)

    def save_formset(self, request: HttpRequest, form: ResourceForm, formset: BaseModelFormSet, change: bool) -> None:  # noqa: FBT001
        """Writes a table by the verbs of its rows; what is deleted makes room for what is new."""
        formset.save(commit=False)
        save = save_exception if formset.model is OpeningException else save_quota
        for row in formset.deleted_objects:
            writing.remove(row)
        for row, names in formset.changed_objects:
            save(row, names)
        for row in formset.new_objects:
            save(row, None)

    def save_related(self, request: HttpRequest, form: ResourceForm, formsets: Any, change: bool) -> None:  # noqa: ANN401, FBT001
        """Writes the tables, and says how many bookings no longer fit after a change of the rules."""
        super().save_related(request, form, formsets, change)
        exceptions = any(each.has_changed() for each in formsets if each.model is OpeningException)
        if change and (exceptions or form.has_new_rules or "time_zone" in form.changed_data):
            tell_unfit(self, request, resource_id=form.instance.pk)

    # --- Removal ------------------------------------------------------------------------------------------------------

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
