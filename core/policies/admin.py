"""The admin of opening exceptions and quotas; the page of a resource has those of the resource as tables."""

from datetime import date
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from core.choices import QuotaKind
from core.models import OpeningException, Quota
from core.policies import writing
from core.policies.fitting import unfit
from core.policies.hours_field import HoursField
from core.policies.serializers import LARGEST_LIMIT, OpeningExceptionSerializer
from core.policies.words import days_of, hours_of, sentence_of_quota
from core.staff.base import ForStaff
from core.staff.forms import SaveErrorForm
from core.staff.inlines import FirstRows, StaffInline
from core.staff.links import bookings_link
from core.staff.moments import DayField, nowrap
from core.zones import house_zone

# A link names so many bookings; the address of a page must not become too long.
NAMED = 200


def tell_unfit(
    model_admin: ForStaff,
    request: HttpRequest,
    *,
    resource_id: int | None = None,
    days: tuple[date, date] | None = None,
) -> None:
    """Says how many coming bookings no longer fit after a change of the rules, with a link to them.

    Args:
        model_admin: The page.
        request: The request.
        resource_id: The resource; None for all resources.
        days: The first and the last day of what changed, for all resources.
    """
    keys = list(unfit(now=timezone.now(), resource_id=resource_id, days=days))
    if not keys:
        return
    number = "1 coming booking no longer fits" if len(keys) == 1 else f"{len(keys)} coming bookings no longer fit"
    link = bookings_link(number, id__in=",".join(map(str, keys[:NAMED])))
    first = f" The link shows the first {NAMED}." if len(keys) > NAMED else ""
    sentence = format_html("{} the opening hours and limits. Nothing was moved or cancelled.{}", link, first)
    model_admin.message_user(request, sentence, messages.WARNING)


def values_of(row: models.Model, names: list[str]) -> dict[str, Any]:
    """The columns of a row by the names of its form's fields."""
    columns = [row._meta.get_field(name).attname for name in names]
    return {column: getattr(row, column) for column in columns}


# --- Opening exceptions -----------------------------------------------------------------------------------------------


class ExceptionForm(SaveErrorForm):
    """An exception; the rules are those of the API."""

    first_day = DayField()
    last_day = DayField(required=False, help_text="Empty: one day.")
    hours = HoursField(help_text="The hours of each of the days, such as 09:00-12:00, 13:00-17:00. Empty: closed.")

    class Meta:
        model = OpeningException
        fields = ("resource", "first_day", "last_day", "name", "hours")

    def clean(self) -> dict[str, Any] | None:
        """Checks the days as the API does."""
        cleaned = super().clean()
        is_one_day = "last_day" not in self.errors and not self.cleaned_data.get("last_day")
        if is_one_day:
            self.cleaned_data["last_day"] = self.cleaned_data.get("first_day")
        if not self.errors:
            days = {name: self.cleaned_data[name].isoformat() for name in ("first_day", "last_day")}
            checked = OpeningExceptionSerializer(data=days)
            if not checked.is_valid():
                for name, said in checked.errors.items():
                    if name != "last_day" or not is_one_day:
                        self.add_error(name, [str(each) for each in said])
        return cleaned


class ComingRows(FirstRows):
    """Exceptions that are not over."""

    def narrow(self, rows: QuerySet[OpeningException]) -> QuerySet[OpeningException]:
        return rows.filter(last_day__gte=timezone.now().astimezone(house_zone()).date())


class ExceptionInline(StaffInline):
    """The coming exceptions of a resource."""

    model = OpeningException
    form = ExceptionForm
    formset = ComingRows
    fields = ("first_day", "last_day", "name", "hours")
    verbose_name_plural = "Opening exceptions: days on which it is closed or has other hours"


class WhoseFilter(admin.SimpleListFilter):
    """Filters rules by whether they are about all resources."""

    title = "resources"
    parameter_name = "of"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("all", "of all resources"), ("one", "of one resource")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        whose = {"all": {"resource": None}, "one": {"resource__isnull": False}}
        return queryset.filter(**whose.get(self.value(), {}))


class ComingFilter(admin.SimpleListFilter):
    """Filters rows by whether they are over."""

    title = "time"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("coming", "to come"), ("over", "over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(**self.periods().get(self.value(), {}))

    def periods(self) -> dict[str, dict[str, Any]]:
        """The lookups of both values."""
        raise NotImplementedError


class ComingDaysFilter(ComingFilter):
    """Filters exceptions by their last day, on the calendar of the house."""

    def periods(self) -> dict[str, dict[str, Any]]:
        today = timezone.now().astimezone(house_zone()).date()
        return {"coming": {"last_day__gte": today}, "over": {"last_day__lt": today}}


@admin.register(OpeningException)
class OpeningExceptionAdmin(ForStaff):
    """Days on which resources are closed or have other hours."""

    form = ExceptionForm
    list_display = ("days", "name", "when_open", "whose")
    list_filter = (ComingDaysFilter, WhoseFilter)
    list_select_related = ("resource",)
    search_fields = ("name", "resource__name")
    autocomplete_fields = ("resource",)

    class Media:
        css: ClassVar = {"all": ["core/admin/lists.css", "core/admin/rules.css"]}

    def get_readonly_fields(self, request: HttpRequest, obj: OpeningException | None = None) -> tuple[str, ...]:
        """An exception stays with its resource."""
        return () if obj is None else ("whose",)

    def get_fields(self, request: HttpRequest, obj: OpeningException | None = None) -> list[str]:
        """The fields, with the resource of a new exception as a picker."""
        return ["resource" if obj is None else "whose", "first_day", "last_day", "name", "hours"]

    def formfield_for_foreignkey(self, db_field: models.ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401
        return super().formfield_for_foreignkey(db_field, request, help_text="Empty: all resources.", **kwargs)

    @admin.display(description="days", ordering="first_day")
    def days(self, row: OpeningException) -> str:
        return nowrap(days_of(row))

    @admin.display(description="hours")
    def when_open(self, row: OpeningException) -> str:
        return hours_of(row)

    @admin.display(description="resource", ordering="resource__name")
    def whose(self, row: OpeningException) -> str:
        return str(row.resource or "all resources")

    def save_model(self, request: HttpRequest, obj: OpeningException, form: ExceptionForm, change: bool) -> None:  # noqa: FBT001
        """Adds or changes the exception by the verbs, and says how many bookings no longer fit."""
        save_exception(obj, form.changed_data if change else None)
        days = [obj.first_day, obj.last_day]
        if change:
            days += [form.initial["first_day"], form.initial["last_day"]]
        of_all = obj.resource_id is None
        tell_unfit(self, request, resource_id=obj.resource_id, days=(min(days), max(days)) if of_all else None)

    def delete_model(self, request: HttpRequest, obj: OpeningException) -> None:
        """Deletes the exception by the verb."""
        writing.remove(obj)


def save_exception(row: OpeningException, changed: list[str] | None) -> None:
    """Adds an exception, or changes the fields of a stored one."""
    if changed is None:
        stored = writing.add_exception(row.resource_id, values_of(row, ["first_day", "last_day", "name", "hours"]))
        row.pk = stored.pk
        row._state.adding = False
    elif changed:
        writing.change_exception(row, values_of(row, changed))


# --- Quotas -----------------------------------------------------------------------------------------------------------


class QuotaForm(SaveErrorForm):
    """A quota."""

    limit = forms.IntegerField(
        label="At most", min_value=1, max_value=LARGEST_LIMIT, help_text="So many bookings, or so many minutes."
    )

    class Meta:
        model = Quota
        fields = ("group", "resource", "kind", "limit", "period")
        labels: ClassVar = {"group": "Whom", "kind": "What counts", "period": "In one"}
        help_texts: ClassVar = {
            "group": "The members of a group. Empty: everybody.",
            "period": "Empty for bookings that have not ended. The other kinds count in a day, week or month.",
        }

    def clean(self) -> dict[str, Any] | None:
        """Checks that a period comes with the kinds that have one; the constraint lets a missing one pass."""
        cleaned = super().clean()
        kind, period = (self.cleaned_data.get(name) for name in ("kind", "period"))
        if kind == QuotaKind.ACTIVE and period:
            self.add_error("period", "A quota of bookings that have not ended has no period. Leave this empty.")
        elif kind and kind != QuotaKind.ACTIVE and not period:
            self.add_error("period", "Choose a period.")
        return cleaned


class QuotaInline(StaffInline):
    """The quotas of a resource."""

    model = Quota
    form = QuotaForm
    fields = ("group", "kind", "limit", "period")
    verbose_name_plural = "Quotas: how much one person may book of it"


@admin.register(Quota)
class QuotaAdmin(ForStaff):
    """How much one person may book."""

    form = QuotaForm
    list_display = ("sentence",)
    list_filter = ("kind", WhoseFilter)
    list_select_related = ("resource", "group")
    search_fields = ("resource__name", "group__name")
    autocomplete_fields = ("resource",)
    fields = ("group", "kind", "limit", "period", "resource")

    def formfield_for_foreignkey(self, db_field: models.ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401
        if db_field.name == "resource":
            kwargs.setdefault("help_text", "Whose bookings count. Empty: those of all resources together.")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="what it does", ordering="pk")
    def sentence(self, quota: Quota) -> str:
        return sentence_of_quota(quota)

    def describe(self, obj: Quota) -> str:
        return sentence_of_quota(obj)

    def save_model(self, request: HttpRequest, obj: Quota, form: QuotaForm, change: bool) -> None:  # noqa: FBT001
        """Adds or changes the quota by the verbs."""
        save_quota(obj, form.changed_data if change else None)

    def delete_model(self, request: HttpRequest, obj: Quota) -> None:
        """Deletes the quota by the verb."""
        writing.remove(obj)


def save_quota(row: Quota, changed: list[str] | None) -> None:
    """Adds a quota, or changes the fields of a stored one."""
    if changed is None:
        stored = writing.add_quota(values_of(row, ["group", "resource", "kind", "period", "limit"]))
        row.pk = stored.pk
        row._state.adding = False
    elif changed:
        writing.change_quota(row, values_of(row, changed))
