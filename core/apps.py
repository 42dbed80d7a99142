"""Wiring: who subscribes to what."""

import sys

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_save, pre_delete


def load_the_framework_alone() -> None:
    """Django REST framework loads `requests` wherever that is installed, for a test client which nobody uses here.

    djoser brings it along; it would take a seventh of the start, and 6 MiB in each process.
    """
    if "requests" not in sys.modules:
        sys.modules["requests"] = None  # type: ignore[assignment] - as if it were not installed
        import rest_framework.compat  # noqa: F401

        del sys.modules["requests"]


load_the_framework_alone()


class CoreConfig(AppConfig):
    """The one app."""

    name = "core"
    verbose_name = "Resources and bookings"

    def ready(self) -> None:
        """Connect what happens to those who want to know."""
        from core import checks, events  # noqa: F401 - the import registers the checks
        from core.accounts import signals as accounts_signals
        from core.notifications import accounts, outbox

        events.subscribe(events.BookingCreated, outbox.booking_created)
        events.subscribe(events.BookingChanged, outbox.booking_changed)
        events.subscribe(events.BookingCancelled, outbox.booking_cancelled)
        events.subscribe(events.PasswordResetRequested, outbox.password_reset_requested)
        accounts_signals.connect()
        post_save.connect(accounts.password_saved, sender=settings.AUTH_USER_MODEL, dispatch_uid="core.password_saved")
        pre_delete.connect(accounts.account_going, sender=settings.AUTH_USER_MODEL, dispatch_uid="core.account_going")


class BookingAdminConfig(AdminConfig):
    """Django's admin, with the sign-in limits."""

    default_site = "core.staff.site.BookingAdminSite"
