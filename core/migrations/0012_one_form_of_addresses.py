from django.core.management.base import CommandError
from django.db import migrations
from django.db.models.functions import Lower

from core.addresses import canonical

# The columns with an address that is compared with that of a user.
COPIES = {
    "notificationpreferences": ("known_address", "refused_address", "unconfirmed_address"),
    "notification": ("to",),
}
# How many of the addresses that are one a sentence names.
NAMED = 10


def fold_addresses(apps, schema_editor):
    """Gives the stored addresses whose domain is not in ASCII the form with one; the others have it."""
    alias = schema_editor.connection.alias
    users = apps.get_model("auth", "User")._default_manager.using(alias)
    changed = new_forms(users, "email")
    require_different(users, changed)
    for pk, address in changed.items():
        users.filter(pk=pk).update(email=address)
    for model, columns in COPIES.items():
        rows = apps.get_model("core", model)._default_manager.using(alias)
        for column in columns:
            for pk, address in new_forms(rows, column).items():
                rows.filter(pk=pk).update(**{column: address})


def new_forms(rows, column):
    """The address that a row gets, by its key."""
    stored = rows.exclude(**{column: ""}).values_list("pk", column).iterator()
    return {pk: canonical(address) for pk, address in stored if not address.isascii() and canonical(address) != address}


def require_different(users, changed):
    """Stops when several accounts get one address, with a sentence that names them."""
    forms = set(changed.values())
    keys = [*changed, *users.annotate(folded=Lower("email")).filter(folded__in=forms).values_list("pk", flat=True)]
    kin = {}
    for pk, address in users.filter(pk__in=keys).order_by("pk").values_list("pk", "email"):
        kin.setdefault(canonical(address), []).append((pk, address))
    twice = [row for _, rows in sorted(kin.items()) if len(rows) > 1 for row in rows]
    if twice:
        named = ", ".join(f"{address} (id {pk})" for pk, address in twice[:NAMED])
        raise CommandError(
            f"These e-mail addresses are spellings of one mailbox: {named}. Change all but one of each, such as by "
            f"UPDATE auth_user SET email = '' WHERE id = {twice[1][0]}; in `manage.py dbshell`, and migrate again."
        )


class Migration(migrations.Migration):
    """The domains of stored e-mail addresses are in ASCII (`xn--...`)."""

    dependencies = [
        ("core", "0011_names_in_order"),
    ]

    operations = [
        migrations.RunPython(fold_addresses, migrations.RunPython.noop),
    ]
