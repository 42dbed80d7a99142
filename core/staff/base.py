"""What all admins here have in common: who may, refusals as form errors, lists that no query string can break."""

import logging
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db import DataError, IntegrityError, models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import errors
from core.constraints import as_booking_error
from core.staff.forms import PatientAutocompleteSelect, PatientMultipleChoiceField, RefusableForm, SearchForm, is_key

logger = logging.getLogger(__name__)


class ChangedMeanwhile(errors.BookingError):
    """Somebody else changed the same thing at the same moment. Look at it again and repeat what you did."""

    code = "changed_meanwhile"


def as_refusal(error: errors.BookingError | IntegrityError) -> errors.BookingError:
    """What a person should read of a write that was refused."""
    if isinstance(error, errors.BookingError):
        return error
    known = as_booking_error(error)
    if known is None:
        logger.warning("The database refused what the admin wrote: %s", error)
    return known or ChangedMeanwhile()


def bookings_link(text: str, **of: object) -> SafeString:
    """A link to the list of the bookings of a resource or of a user."""
    query = "&".join(f"{field}__id__exact={key}" for field, key in of.items())
    return format_html('<a href="{}?{}">{}</a>', reverse("admin:core_booking_changelist"), query, text)


def minutes(moment: datetime) -> str:
    """A moment in UTC as a list shows it."""
    return on_one_line(moment.strftime("%Y-%m-%d %H:%M"))


def on_one_line(text: str) -> SafeString:
    """The text, not broken where a column is narrow."""
    return format_html('<span class="nowrap">{}</span>', text)


class CarefulChangeList(ChangeList):
    """A list whose search has an end."""

    search_form_class = SearchForm


class CarefulAdmin(admin.ModelAdmin):
    """The base of all admins here: no input yields an error page, and a refused write is a form error."""

    form = RefusableForm
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200
    actions: ClassVar = ["delete_selected"]

    # --- Who may: subclasses answer one question ----------------------------------------------------------------------

    def is_for(self, request: HttpRequest) -> bool:
        """Whether the caller may do everything here."""
        raise NotImplementedError

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether it is listed."""
        return self.is_for(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Whether the caller may look."""
        return self.is_for(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the caller may add."""
        return self.is_for(request)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Whether the caller may change."""
        return self.is_for(request)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Whether the caller may remove."""
        return self.is_for(request)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> models.Model | None:
        """The row of a page's address; None also where the key is too large for SQLite."""
        try:
            return super().get_object(request, object_id, from_field)
        except OverflowError:
            return None

    # --- Forms --------------------------------------------------------------------------------------------------------

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form; when its save was refused, and with that taken back, the same form with the reason."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (errors.BookingError, IntegrityError) as error:
            request.refusal = as_refusal(error)  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self,
        request: HttpRequest,
        obj: models.Model | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 - Django's own
        **kwargs: Any,  # noqa: ANN401
    ) -> type[forms.ModelForm]:
        """A form class made for this request."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Values for an empty form from the query string: keys to pick, such as `?resource=3`."""
        pickers = self.get_autocomplete_fields(request)
        return {name: value for name, value in request.GET.items() if name in pickers}

    def formfield_for_foreignkey(
        self,
        db_field: models.ForeignKey,
        request: HttpRequest,
        **kwargs: Any,  # noqa: ANN401
    ) -> forms.ModelChoiceField | None:
        """The field; a picker where the admin names it as one."""
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", PatientAutocompleteSelect(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(
        self,
        db_field: models.ManyToManyField,
        request: HttpRequest,
        **kwargs: Any,  # noqa: ANN401
    ) -> forms.ModelMultipleChoiceField | None:
        """The field."""
        return super().formfield_for_manytomany(db_field, request, form_class=PatientMultipleChoiceField, **kwargs)

    # --- Lists --------------------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ANN401
        """The class of the list."""
        return CarefulChangeList

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The list.

        Raises:
            IncorrectLookupParameters: When the query string makes no sense, though Django notices only in its query.
        """
        try:
            return super().get_changelist_instance(request)
        except (ValueError, OverflowError, DataError) as error:
            raise IncorrectLookupParameters(error) from error

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether a list may be filtered by that; regular expressions are work that a stranger can order."""
        return not lookup.endswith("regex") and super().lookup_allowed(lookup, value, request)

    def response_action(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """Run a bulk action on what was ticked, unless that holds something that is no key."""
        ticked = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
        if not all(is_key(key) for key in ticked):
            self.message_user(request, "The selection cannot be read. Nothing was changed.", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset)

    # --- Removal ------------------------------------------------------------------------------------------------------

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The question, then the removal; when that was refused, the list with the reason."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except (errors.BookingError, IntegrityError) as error:
            self.message_user(request, as_refusal(error).message, messages.ERROR)
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    @admin.action(permissions=["delete"], description="Delete selected %(verbose_name_plural)s")
    def delete_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """Ask first, then remove row by row, each in a transaction of its own, and tell what was refused and why."""
        if not request.POST.get("post"):
            return admin.actions.delete_selected(self, request, queryset)
        refused: list[str] = []
        done = 0
        for obj in queryset.order_by("pk"):
            try:
                with transaction.atomic():
                    self.log_deletions(request, [obj])
                    self.delete_model(request, obj)
                done += 1
            except (errors.BookingError, IntegrityError) as error:
                refused.append(f"{self.describe(obj)}: {as_refusal(error).message}")
        self.report(request, {"deleted": done}, refused)
        return None

    def describe(self, obj: models.Model) -> str:
        """What a report calls it."""
        return str(obj)

    def report(self, request: HttpRequest, done: dict[str, int], refused: list[str], *, most: int = 10) -> None:
        """Tell what a bulk action did, and what it was refused and why."""
        for what, number in done.items():
            if number:
                noun = self.opts.verbose_name if number == 1 else self.opts.verbose_name_plural
                self.message_user(request, f"{number} {noun} {what}.", messages.SUCCESS)
        for sentence in refused[:most]:
            self.message_user(request, f"Not done: {sentence}", messages.ERROR)
        if len(refused) > most:
            self.message_user(request, f"{len(refused) - most} more were refused.", messages.ERROR)


class ForStaff(CarefulAdmin):
    """What all staff look after, without further permissions."""

    def is_for(self, request: HttpRequest) -> bool:
        """Active staff."""
        return request.user.is_active and request.user.is_staff


class ForSuperusers(CarefulAdmin):
    """What superusers alone look after."""

    def is_for(self, request: HttpRequest) -> bool:
        """Active superusers who are staff."""
        return request.user.is_active and request.user.is_staff and request.user.is_superuser
