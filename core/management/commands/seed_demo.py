"""`manage.py seed_demo`: fills an empty database with demo data."""

import os
from datetime import time, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from core import lifecycle
from core.choices import BookingStatus
from core.lifecycle import Repeat
from core.models import Booking, OpeningHours, Resource, ResourcePolicy
from core.record.acts import Act
from core.record.kinds import Channel
from core.record.models import BookingEvent
from core.record.writing import record_existing
from core.recurrence import Rule

RESOURCES = [
    ("Aurora meeting room", "Second floor, daylight, video conference, whiteboard.", 8, True, True),
    ("Borealis huddle room", "For two or three people; no approval needed.", 3, True, False),
    ("Desk 12 by the window", "Height-adjustable, two screens.", 1, True, False),
    ("Confocal microscope", "Introduction required. Bring your own slides.", 1, True, True),
    ("Cargo bike", "Carries 80 kg. The key is at the reception.", 1, True, False),
    ("Electric van", "Charging card in the glove box.", 3, False, True),
]
# user name, address, first name, last name, staff, superuser
USERS = [
    ("anna", "anna@example.org", "Anna", "Demo", True, True),
    ("bert", "bert@example.org", "Bert", "Demo", False, False),
    ("carla", "carla@example.org", "Carla", "Demo", False, False),
    ("david", "david@example.org", "David", "Demo", True, False),
]
# resource, weekdays, opens, closes
HOURS = [
    ("Confocal microscope", range(1, 6), time(8), time(18)),
    ("Confocal microscope", range(6, 8), time(9), time(14)),
]
POLICY = (
    "Confocal microscope",
    {"min_minutes": 30, "max_minutes": 480, "grid_minutes": 30, "buffer_after_minutes": 15},
)
# resource, days from today, hour, length in hours, reason
CLOSURE = ("Electric van", 7, 8, 10, "Inspection at the garage")
# user, resource, the least days from today, weekday (Monday is 0), hour, length in hours, rule, notes
SERIES = ("david", "Borealis huddle room", 15, 1, 9, 1, "FREQ=WEEKLY;COUNT=12;BYDAY=TU", "Weekly meeting of the team")
# user, resource, days from today, hour, length in hours, status, notes
BOOKINGS = [
    ("bert", "Aurora meeting room", 0, 9, 1, BookingStatus.CONFIRMED, "Stand-up with the whole team"),
    ("carla", "Aurora meeting room", 0, 10, 2, BookingStatus.CONFIRMED, "Customer visit"),
    ("bert", "Aurora meeting room", 1, 14, 2, BookingStatus.PENDING, "Planning"),
    ("carla", "Borealis huddle room", 0, 15, 1, BookingStatus.CONFIRMED, ""),
    ("bert", "Desk 12 by the window", 1, 8, 9, BookingStatus.CONFIRMED, ""),
    ("carla", "Confocal microscope", 2, 9, 4, BookingStatus.PENDING, "Samples 14 to 22"),
    ("bert", "Confocal microscope", -1, 13, 3, BookingStatus.CONFIRMED, ""),
    ("carla", "Cargo bike", 1, 16, 3, BookingStatus.CONFIRMED, "Moving house plants"),
    ("bert", "Cargo bike", 3, 9, 2, BookingStatus.CANCELLED, "Rain"),
]


class Command(BaseCommand):
    """Fills an empty database with demo data, and prints how to sign in."""

    help = "Fills an empty database with a small demo; only with DEBUG on. Safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        """Fills the database, unless it holds users or resources.

        Raises:
            CommandError: Without DEBUG or without a demo password.
        """
        if not settings.DEBUG:
            raise CommandError("The demo is for trying things out: it runs only with DEBUG=True.")
        users = get_user_model()._default_manager
        names = [name for name, *_ in USERS]
        if users.exists() or Resource.objects.exists():
            if set(names) <= set(users.filter(username__in=names).values_list("username", flat=True)):
                self.print_sign_in("The demo is there already.")
            else:
                self.stdout.write("The database is not empty; no demo was added.")
            return
        with transaction.atomic():
            self.fill(self.password())
        self.print_sign_in("The database was empty; it now holds a small demo.")

    def password(self) -> str:
        """The password of all demo users.

        Raises:
            CommandError: When DEMO_PASSWORD is not set; there is no built-in password.
        """
        if not settings.DEMO_PASSWORD:
            raise CommandError("DEMO_PASSWORD is not set. Put one into .env; `make run` does it for a new .env.")
        return settings.DEMO_PASSWORD

    def fill(self, password: str) -> None:
        """Creates the users, the resources and the bookings."""
        users = {}
        for username, email, first, last, is_staff, is_superuser in USERS:
            users[username] = get_user_model()._default_manager.create_user(
                username,
                email,
                password,
                first_name=first,
                last_name=last,
                is_staff=is_staff,
                is_superuser=is_superuser,
            )
        resources = {}
        for name, description, capacity, is_available, requires_approval in RESOURCES:
            resources[name] = Resource.objects.create(
                name=name,
                description=description,
                capacity=capacity,
                is_available=is_available,
                requires_approval=requires_approval,
            )
        today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
        # Inserts rows without the verb `book`, which would send e-mails. The database constraints apply all the same.
        made = Booking.objects.bulk_create(
            Booking(
                user=users[username],
                resource=resources[name],
                start_time=today + timedelta(days=days, hours=hour),
                end_time=today + timedelta(days=days, hours=hour + hours),
                status=status,
                notes=notes,
            )
            for username, name, days, hour, hours, status, notes in BOOKINGS
        )
        self.set_rules(resources, users["anna"])
        self.book_weekly(users, resources)
        record_existing([booking.pk for booking in made], now=timezone.now())
        self.stdout.write(f"{len(users)} users, {len(resources)} resources, {Booking.objects.count()} bookings.")

    def set_rules(self, resources: dict[str, Resource], staff: User) -> None:
        """Gives one resource opening hours and a policy, and closes another one for a day."""
        for name, weekdays, opens, closes in HOURS:
            for weekday in weekdays:
                OpeningHours.objects.create(resource=resources[name], weekday=weekday, opens=opens, closes=closes)
        name, limits = POLICY
        ResourcePolicy.objects.create(resource=resources[name], **limits)
        name, days, hour, hours, reason = CLOSURE
        now = timezone.now()
        start = now.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=days)
        lifecycle.close(
            resource_ids=[resources[name].pk],
            start_time=start,
            end_time=start + timedelta(hours=hours),
            reason=reason,
            act=Act(by=staff, now=now, channel=Channel.COMMAND),
        )

    def book_weekly(self, users: dict[str, User], resources: dict[str, Resource]) -> None:
        """Books a weekly meeting. Its act is on record as handed on, so nobody gets an e-mail about it."""
        username, resource, least, weekday, hour, hours, rule, notes = SERIES
        now = timezone.now()
        first = now.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=least)
        first += timedelta(days=(weekday - first.weekday()) % 7)
        made = lifecycle.book_series(
            user=users[username],
            resource_id=resources[resource].pk,
            repeat=Repeat(Rule.parse(rule), first, first + timedelta(hours=hours)),
            notes=notes,
            act=Act(by=users[username], now=now, channel=Channel.COMMAND),
        )
        assert made.series is not None
        BookingEvent.objects.filter(series_id=made.series.pk).update(handed_at=now)

    def print_sign_in(self, first: str) -> None:
        """Prints who can sign in, and where the password is."""
        people = ", ".join(
            f"{name} ({'superuser' if is_superuser else 'staff' if is_staff else 'user'})"
            for name, _, _, _, is_staff, is_superuser in USERS
        )
        where = "environment" if os.environ.get("DEMO_PASSWORD") else os.environ.get("BOOKING_ENV_FILE") or ".env"
        self.stdout.write(f"{first} Sign in as {people}; the password is DEMO_PASSWORD in {where}:")
        self.stdout.write(f"  {self.password()}")
