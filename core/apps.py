"""Connects the features to the events, and the jobs to the worker."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.backends.signals import connection_created


class CoreConfig(AppConfig):
    """The only app of the project."""

    name = "core"
    verbose_name = "Resources and bookings"

    def ready(self) -> None:
        """Registers the checks, the subscribers, the readers of the record and the jobs of the worker."""
        from core import checks, expiry, functions  # noqa: F401 - the import of `checks` registers them
        from core.accounts import signals as accounts
        from core.notifications import approvals, channel, reminders
        from core.notifications import signals as notifications
        from core.notifications.messages import tell
        from core.outbox import worker
        from core.policies import signals as policies
        from core.record import relay
        from core.record import signals as record

        connection_created.connect(functions.add_to_sqlite, dispatch_uid="core.functions")
        accounts.connect()
        record.connect()
        notifications.connect()
        policies.connect()
        relay.add_reader(tell)
        # Before the record is handed on, so that the same run tells what expired.
        worker.add_feeder(expiry.expire_due, every=expiry.LOOK_SECONDS)
        worker.add_feeder(relay.hand_on)
        worker.add_job(reminders.write_reminders, every=reminders.LOOK_SECONDS)
        worker.add_job(approvals.write_lists, every=approvals.LOOK_SECONDS)
        worker.add_job(channel.deliver_emails)


class BookingAdminConfig(AdminConfig):
    """Django's admin, with the sign-in limits."""

    default_site = "core.staff.site.BookingAdminSite"
