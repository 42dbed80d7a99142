from django.db import migrations

NAME = "core_booking_notes_folded"
# `core.functions.FOLDED` of the notes.
FOLDED = "UPPER(CASE WHEN OCTET_LENGTH(notes) = CHAR_LENGTH(notes) THEN notes ELSE NORMALIZE(notes, NFKC) END)"


def keep_statistics(apps, schema_editor):
    """Lets PostgreSQL know how many notes mention a text: it then reads a page of a search in the best order."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"CREATE STATISTICS {NAME} ON ({FOLDED}) FROM core_booking")


def keep_none(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP STATISTICS IF EXISTS {NAME}")


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0021_no_closure_in_older_tables"),
    ]

    operations = [migrations.RunPython(keep_statistics, keep_none)]
