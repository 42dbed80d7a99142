"""The error for each violation of a constraint, and what a database must be able to do."""

from django.db import IntegrityError
from django.db.backends.base.base import BaseDatabaseWrapper

from core import errors
from core.constraints.names import (
    CAPACITY_AT_LEAST_ONE,
    EMAIL_UNIQUE,
    END_AFTER_START,
    NO_OVERLAP,
    ONE_OF_EACH_DATE,
    STATUS_KNOWN,
    TIMES_COMPARE,
    USERNAME_UNIQUE,
)

# The error for each violation, by a part of the first line of the database's message. Both databases name the
# constraint there. SQLite names the index for an index on an expression, and the column for a unique column.
ERRORS: dict[str, type[errors.BookingError]] = {
    NO_OVERLAP: errors.SlotTaken,
    ONE_OF_EACH_DATE: errors.SeriesOverlapsItself,
    "core_booking.series_id, core_booking.recurrence_id": errors.SeriesOverlapsItself,
    END_AFTER_START: errors.EndNotAfterStart,
    TIMES_COMPARE: errors.TimeNotUtcText,
    STATUS_KNOWN: errors.StatusNotAllowed,
    CAPACITY_AT_LEAST_ONE: errors.CapacityTooSmall,
    USERNAME_UNIQUE: errors.UsernameTaken,
    "auth_user_username_key": errors.UsernameTaken,
    "auth_user.username": errors.UsernameTaken,
    EMAIL_UNIQUE: errors.EmailTaken,
    '"core_resource" violates foreign key': errors.ResourceHasBookings,
    '"core_booking" violates foreign key constraint "core_booking_resource_id': errors.ResourceMissing,
    '"core_booking" violates foreign key constraint "core_booking_user_id': errors.UserMissing,
    '"core_bookingevent" violates foreign key': errors.UserMissing,
}


def as_booking_error(error: IntegrityError) -> errors.BookingError | None:
    """The domain error for a violation of a constraint; None for an unknown constraint."""
    # The further lines of PostgreSQL repeat values of the row, such as a user name.
    message = str(error).partition("\n")[0]
    return next((kind() for part, kind in ERRORS.items() if part in message), None)


def locale_problem(connection: BaseDatabaseWrapper) -> str:
    """The sentence about a PostgreSQL that cannot fold the case of all letters; empty if nothing is wrong.

    Names and addresses are unique in any case by its `lower()`. On SQLite, which has no locales, Python compares them.
    """
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        # Newer versions of PostgreSQL may take the case from another locale than LC_CTYPE, in one of two columns.
        cursor.execute(
            "SELECT datname, pg_encoding_to_char(encoding), coalesce(to_jsonb(pg_database) ->> 'datlocale', "
            "to_jsonb(pg_database) ->> 'daticulocale', datctype) FROM pg_database WHERE datname = current_database()"
        )
        name, encoding, locale = cursor.fetchone()
        if encoding == "UTF8":
            cursor.execute("SELECT lower('ÄЖ') = 'äж'")
            if cursor.fetchone()[0]:
                return ""
    return (
        f"The database {name} has the encoding {encoding} and the locale {locale}, which do not know the case of all "
        "letters: jürgen and JÜRGEN would be two user names. Make a database with the encoding UTF8 and the locale "
        "C.UTF-8 or that of a language, as docs/deploying.md does, and restore a dump of this one into it."
    )
