from django.db import migrations

from core.constraints import EMAIL_UNIQUE, USERNAME_UNIQUE


class Migration(migrations.Migration):
    """User names, and e-mail addresses where there is one, are unique whatever their case."""

    dependencies = [
        ("core", "0001_initial"),
        # The last one that rebuilds the table on SQLite, which would drop these indexes.
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.RunSQL(
            f"CREATE UNIQUE INDEX {USERNAME_UNIQUE} ON auth_user (lower(username))",
            f"DROP INDEX {USERNAME_UNIQUE}",
        ),
        migrations.RunSQL(
            f"CREATE UNIQUE INDEX {EMAIL_UNIQUE} ON auth_user (lower(email)) WHERE email <> ''",
            f"DROP INDEX {EMAIL_UNIQUE}",
        ),
    ]
