"""`manage.py import_resources`: makes resources of the lines of a CSV file."""

from core.exports.importing import import_resources
from core.management.importing import ImportingCommand


class Command(ImportingCommand):
    """Makes each line by itself, and names the refused ones; a resource that is there stays as it is."""

    help = "Makes a resource of each line of a CSV file; refused lines are named."
    noun = "resources"
    read = staticmethod(import_resources)
