"""`manage.py import_bookings`: makes bookings of the lines of a CSV file."""

from functools import partial

from django.utils import timezone

from core.exports.importing import import_bookings
from core.management.importing import ImportingCommand


class Command(ImportingCommand):
    """Books each line by itself, and names the refused ones; their owners are told as of any new booking."""

    help = "Makes a booking of each line of a CSV file, such as one of export_bookings; refused lines are named."
    noun = "bookings"
    read = staticmethod(partial(import_bookings, now=timezone.now))
