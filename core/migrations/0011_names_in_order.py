from django.db import DatabaseError, migrations, transaction

COLLATION = "core_names"


def sort_as_people_do(apps, schema_editor):
    """Sorts names by a collation of ICU with numbers in order; without ICU the order stays as it is."""
    if schema_editor.connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic():
            schema_editor.execute(f"CREATE COLLATION {COLLATION} (provider = icu, locale = 'und-u-kn-true')")
    except DatabaseError:
        return
    schema_editor.execute(f"ALTER TABLE core_resource ALTER COLUMN name TYPE varchar(255) COLLATE {COLLATION}")


def sort_as_before(apps, schema_editor):
    """Sorts by the collation of the database again."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute('ALTER TABLE core_resource ALTER COLUMN name TYPE varchar(255) COLLATE "default"')
        schema_editor.execute(f"DROP COLLATION IF EXISTS {COLLATION}")


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0010_resource_changes"),
    ]

    operations = [migrations.RunPython(sort_as_people_do, sort_as_before)]
