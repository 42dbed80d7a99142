"""Public holidays as exceptions of all resources, which staff see and edit as any other; see `import_holidays`."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction

from core.policies import writing
from core.policies.models import LONGEST_NAME, OpeningException

ENGLISH = "en"


class NoHolidays(Exception):  # noqa: N818 - it says what is wrong
    """There are no holidays of that country, subdivision and year."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A holiday, and the exception that keeps its day if there is one already.

    Attributes:
        day: The day.
        name: The name of the holiday, in English where the library has it.
        kept: The exception of all resources that has the day; None for a new one.
    """

    day: date
    name: str
    kept: OpeningException | None


@transaction.atomic
def import_holidays(*, country: str, subdivision: str | None, year: int, dry_run: bool = False) -> list[Imported]:
    """Closes the public holidays of a year for all resources; a day that has an exception of all is left.

    Raises:
        NoHolidays: When the library knows none.
    """
    days = public_holidays(country, subdivision, year)
    stored = list(OpeningException.objects.filter(resource=None, first_day__lte=max(days), last_day__gte=min(days)))
    found = [
        Imported(day, name, next((each for each in stored if each.first_day <= day <= each.last_day), None))
        for day, name in sorted(days.items())
    ]
    for each in found:
        if each.kept is None and not dry_run:
            writing.add_exception(None, {"first_day": each.day, "last_day": each.day, "name": each.name, "hours": []})
    return found


def public_holidays(country: str, subdivision: str | None, year: int) -> dict[date, str]:
    """The public holidays of a year by day.

    Args:
        country: ISO 3166-1, such as `DE`.
        subdivision: ISO 3166-2 without the country, such as `BY`; None for the whole country.
        year: The year.

    Raises:
        NoHolidays: When the library knows none.
    """
    # Only here: the library takes some megabytes, and no server needs it.
    import holidays

    try:
        calendar: Any = holidays.country_holidays(country, subdiv=subdivision)
        language = next((each for each in calendar.supported_languages if each.startswith(ENGLISH)), None)
        calendar = holidays.country_holidays(country, subdiv=subdivision, years=year, language=language)
    except NotImplementedError as error:
        raise NoHolidays(f"{error}.") from error
    if not calendar:
        raise NoHolidays(f"No holidays are known of {calendar.country} in {year}.")
    return {day: name[:LONGEST_NAME] for day, name in calendar.items()}
