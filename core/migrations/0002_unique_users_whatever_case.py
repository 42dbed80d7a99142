from django.core.management.base import CommandError
from django.db import migrations
from django.db.models import Count
from django.db.models.functions import Lower

from core.constraints import EMAIL_UNIQUE, USERNAME_UNIQUE, locale_problem

# How many of the values that are one a sentence names.
NAMED = 10


def require_case_folded(apps, schema_editor):
    """Stops before the indexes on a database whose lower() would let duplicates in."""
    problem = locale_problem(schema_editor.connection)
    if problem:
        raise CommandError(problem)


def require_unique(apps, schema_editor):
    """Stops before the indexes when users differ by case alone, with a sentence that names them."""
    users = apps.get_model("auth", "User")._default_manager.using(schema_editor.connection.alias)
    for column, words, other in (("username", "user names", "another"), ("email", "e-mail addresses", "")):
        folded = users.exclude(**{column: ""}).annotate(folded=Lower(column))
        twice = folded.values("folded").annotate(number=Count("pk")).filter(number__gt=1).order_by().values("folded")
        rows = folded.filter(folded__in=twice).order_by("folded", "pk").values_list(column, "pk")[:NAMED]
        if rows:
            named = ", ".join(f"{value} (id {pk})" for value, pk in rows)
            raise CommandError(
                f"These {words} differ by case alone: {named}. Change all but one of each, such as by UPDATE auth_user "
                f"SET {column} = '{other}' WHERE id = {rows[1][1]}; in `manage.py dbshell`, and migrate again."
            )


class Migration(migrations.Migration):
    """User names, and e-mail addresses where there is one, are unique whatever their case."""

    dependencies = [
        ("core", "0001_initial"),
        # The last one that rebuilds the table on SQLite, which would drop these indexes.
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.RunPython(require_case_folded, migrations.RunPython.noop),
        migrations.RunPython(require_unique, migrations.RunPython.noop),
        migrations.RunSQL(
            f"CREATE UNIQUE INDEX {USERNAME_UNIQUE} ON auth_user (lower(username))",
            f"DROP INDEX {USERNAME_UNIQUE}",
        ),
        migrations.RunSQL(
            f"CREATE UNIQUE INDEX {EMAIL_UNIQUE} ON auth_user (lower(email)) WHERE email <> ''",
            f"DROP INDEX {EMAIL_UNIQUE}",
        ),
    ]
