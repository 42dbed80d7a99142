"""The admin of resources: another face of the same verbs."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from core import lifecycle
from core.models import Resource
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
        names = ["name", "description", "capacity", "is_available", "requires_approval"]
        return [*names, "bookings"] if obj else names

    @admin.display(description="bookings")
    def bookings(self, resource: Resource) -> str:
        return bookings_link("Show bookings", resource=resource.pk)

    def delete_model(self, request: HttpRequest, obj: Resource) -> None:
        """Deletes the resource by the verb, which refuses when the resource has bookings."""
        lifecycle.delete_resource(obj)

    def get_deleted_objects(
        self, objs: QuerySet[Resource] | list[Resource], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """The objects that a deletion removes; each resource with bookings is a protected object, with advice."""
        booked = Resource.objects.filter(pk__in=[resource.pk for resource in objs])
        booked = booked.annotate(number=Count("bookings")).filter(number__gt=0)
        protected = [
            f"{resource.number} booking{'' if resource.number == 1 else 's'} of {resource}. A resource that has "
            "bookings cannot be deleted: untick “is available” to take it out of service instead."
            for resource in booked
        ]
        return ([], {}, set(), protected) if protected else super().get_deleted_objects(objs, request)
