"""Filters of lists: by time, and by what staff type."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.db.models import ForeignKey, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.staff.moments import named

DAY = timedelta(days=1)
ALL = "all"


def day(text: str) -> date:
    """The day that is written as YYYY-MM-DD.

    Raises:
        ValueError: When the text has another form.
    """
    return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no time zone


def midnight(day: date) -> datetime:
    """The beginning of a day in the current zone; adding `DAY` gives the next midnight, however long the day is."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())


class PeriodFilter(admin.SimpleListFilter):
    """Filters by time. A list that is opened without any parameter shows today; otherwise all days are the default."""

    title = "time"
    parameter_name = "when"

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: admin.ModelAdmin
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.default = default_period(request)

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [
            ("today", "today"),
            ("tomorrow", "tomorrow"),
            ("week", "this week"),
            ("upcoming", "to come"),
            ("running", "running now"),
            ("over", "over"),
        ]

    def value(self) -> str:
        return super().value() or self.default

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        now = timezone.localtime()
        today = midnight(now.date())
        monday = today - now.weekday() * DAY
        periods = {
            "today": {"start_time__lt": today + DAY, "end_time__gt": today},
            "tomorrow": {"start_time__lt": today + 2 * DAY, "end_time__gt": today + DAY},
            "week": {"start_time__lt": monday + 7 * DAY, "end_time__gt": monday},
            "upcoming": {"start_time__gt": now},
            "running": {"start_time__lte": now, "end_time__gt": now},
            "over": {"end_time__lte": now},
        }
        return queryset.filter(**periods.get(self.value(), {}))

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        _, *named = super().choices(changelist)
        everything = changelist.get_query_string({self.parameter_name: ALL})
        yield {"selected": self.value() == ALL, "query_string": everything, "display": "all days"}
        yield from named


def default_period(request: HttpRequest) -> str:
    """The period of a list whose address names none: today if the address has no parameter at all.

    An action looks at all days for the rows that were ticked, but "select all" means the rows that the page counted.
    """
    whole_page = request.method in ("GET", "HEAD") or request.POST.get("select_across") == "1"
    return "today" if whole_page and not request.GET else ALL


class TypedFilter(admin.ListFilter):
    """A filter whose values staff type: its template has a form, which keeps the other filters.

    Attributes:
        parameters: The names of the values in the query string.
        replaces: The parameters of other filters that the form does not keep.
        typed: The values by name; empty where nothing was typed.
    """

    parameters: ClassVar[tuple[str, ...]]
    replaces: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: admin.ModelAdmin
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.typed = {name: (params.pop(name, None) or [""])[-1] for name in self.parameters}
        self.kept: list[tuple[str, str]] = []

    def expected_parameters(self) -> list[str]:
        return list(self.parameters)

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """No choices, but the other filters for the form."""
        replaced = {*self.parameters, *self.replaces, "p"}
        self.kept = [(name, value) for name, value in changelist.params.items() if name not in replaced]
        if changelist.query:
            self.kept.append(("q", changelist.query))
        return iter(())


class DaysFilter(TypedFilter):
    """Filters by a first and a last day, both inclusive, which staff type or pick.

    Attributes:
        since: The lookup of rows that belong to the first day or a later one.
        until: The lookup of rows that belong to the last day or an earlier one.
    """

    title = named("days")
    template = "admin/days_filter.html"
    parameters = ("from", "to")
    replaces = (PeriodFilter.parameter_name,)
    since, until = "end_time__gt", "start_time__lt"

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """The rows of those days.

        Raises:
            ValueError: When a day is not written as YYYY-MM-DD.
        """
        first, last = self.typed["from"], self.typed["to"]
        if first:
            queryset = queryset.filter(**{self.since: midnight(day(first))})
        if last:
            queryset = queryset.filter(**{self.until: midnight(day(last)) + DAY})
        return queryset


class NamedFilter(admin.RelatedFieldListFilter):
    """Filters by another row that has a name; the page lists some, and an address may name any other."""

    maximum_choices = 100

    def field_choices(
        self, field: ForeignKey, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> list[tuple[int, str]]:
        names = field.remote_field.model._default_manager.values_list("pk", "name")
        return list(names[: self.maximum_choices])

    def has_output(self) -> bool:
        """Always true: Django ignores the filter in a URL when the filter has no output."""
        return True


class PersonFilter(TypedFilter):
    """Filters by people, by user name or e-mail address: not all staff may open accounts.

    Attributes:
        people: The columns with the people.
    """

    title = "person"
    template = "admin/person_filter.html"
    parameters = ("person",)
    people: ClassVar[tuple[str, ...]] = ("user",)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        name = self.typed["person"].strip()
        if not name:
            return queryset
        found = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name)).values("pk")
        return queryset.filter(reduce(or_, (Q(**{f"{column}__in": found}) for column in self.people)))
