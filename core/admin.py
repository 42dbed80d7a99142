"""The admin: another face of the same verbs."""

from typing import ClassVar

from django.contrib import admin

from core.models import Booking, Resource, UserProfile


@admin.register(Resource)
class ResourceAdmin(admin.ModelAdmin):
    """Resources."""

    list_display = ("name", "capacity", "is_available", "requires_approval")
    search_fields: ClassVar = ["name", "description"]


@admin.register(Booking)
class BookingAdmin(admin.ModelAdmin):
    """Bookings."""

    list_display = ("resource", "user", "start_time", "end_time", "status")
    list_select_related = ("resource", "user")


@admin.register(UserProfile)
class UserProfileAdmin(admin.ModelAdmin):
    """Profiles."""

    list_select_related = ("user",)
