"""docs/reports.md says what the API and the page say."""

from core.reports.measures import MEASURES, PERIOD, ROUNDING
from core.reports.utilisation import MOST_BOOKINGS, MOST_DAYS, MOST_RESOURCE_DAYS, MOST_RESOURCES
from core.tests.support.documents import REPORTS, tables


def test_the_formulas_are_those_of_the_code() -> None:
    (rows,) = tables(REPORTS.chapter("Formulas"))
    assert [tuple(row) for row in rows] == [(f"`{measure.name}`", measure.formula) for measure in MEASURES]
    assert PERIOD in REPORTS.text
    assert ROUNDING in REPORTS.text


def test_the_bounds_are_those_of_the_code() -> None:
    bounds = " ".join(REPORTS.chapter("Bounds").split())
    for number in (MOST_RESOURCES, MOST_RESOURCE_DAYS, MOST_BOOKINGS):
        assert f"{number:,}".replace(",", " ") in bounds
    assert f"{MOST_RESOURCE_DAYS // MOST_DAYS} resources in a year of {MOST_DAYS} days" in bounds
