from django.db import migrations


def forget_the_default(apps, schema_editor):
    """Empties each `UTC`: it was the default, which the first message to a user stored with the row."""
    rows = apps.get_model("core", "NotificationPreferences")._default_manager.using(schema_editor.connection.alias)
    rows.filter(time_zone="UTC").update(time_zone=None)


def store_the_default(apps, schema_editor):
    rows = apps.get_model("core", "NotificationPreferences")._default_manager.using(schema_editor.connection.alias)
    rows.filter(time_zone=None).update(time_zone="UTC")


class Migration(migrations.Migration):
    """Preferences have a time zone only where somebody chose one; as long as the house has UTC, no message changes."""

    dependencies = [
        ("core", "0019_preferences_without_a_zone"),
    ]

    operations = [
        migrations.RunPython(forget_the_default, store_the_default),
    ]
