"""The base of all admins: permissions, failed saves as form errors, lists that withstand any query string."""

import logging
from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db import DataError, IntegrityError, models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from core import errors
from core.api.query import MOST_COUNTED
from core.constraints import as_booking_error
from core.staff.forms import (
    SaveErrorForm,
    SearchForm,
    StoredTextField,
    TolerantAutocompleteSelect,
    TolerantAutocompleteSelectMultiple,
    TolerantMultipleChoiceField,
    is_key,
)
from core.staff.links import bookings_link
from core.staff.moments import sentence_of
from core.staff.paginator import MOST_FOUND, BoundedPaginator

logger = logging.getLogger(__name__)


class ChangedMeanwhile(errors.BookingError):
    """The database refused a write of the admin for a reason that no check knows; no client of the API gets this."""

    code = "changed_meanwhile"
    status = 409
    message = "Somebody else changed the same thing at the same moment. Look at it again and repeat what you did."


def booking_error_of(error: errors.BookingError | IntegrityError) -> errors.BookingError:
    """The error to show for a failed write; an unknown `IntegrityError` is logged and becomes `ChangedMeanwhile`."""
    if isinstance(error, errors.BookingError):
        return error
    known = as_booking_error(error)
    if known is None:
        logger.warning("The database refused what the admin wrote: %s", error)
    return known or ChangedMeanwhile()


def keys_of(rows: Iterable[models.Model]) -> str:
    """The keys for one hidden field of a question: with a field for each key, Django would refuse more than 997."""
    return ",".join(str(row.pk) for row in rows)


class LimitedChangeList(ChangeList):
    """A list with a limit on the length of its search.

    The result of a search has no links to its years and months: Django would run the search again for them.
    """

    search_form_class = SearchForm

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        if self.query:
            self.date_hierarchy = None


class BaseAdmin(admin.ModelAdmin):
    """The base of all admins: no input causes an error page, and a failed write becomes a form error."""

    form = SaveErrorForm
    formfield_overrides: ClassVar = {
        models.TextField: {"form_class": StoredTextField},
        models.CharField: {"form_class": StoredTextField},
    }
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200
    actions: ClassVar = ["delete_selected"]

    # --- Permissions: subclasses define `is_allowed` ------------------------------------------------------------------

    def is_allowed(self, request: HttpRequest) -> bool:
        """Whether the caller has every permission on this model."""
        raise NotImplementedError

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.is_allowed(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.is_allowed(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.is_allowed(request)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.is_allowed(request)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.is_allowed(request)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> models.Model | None:
        """The row in the URL; None also for a key that is too large for SQLite."""
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
        """Shows the form; after a failed save and its rollback, shows the same form with the error."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (errors.BookingError, IntegrityError) as error:
            request.save_error = booking_error_of(error)
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self,
        request: HttpRequest,
        obj: models.Model | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 - Django's own
        **kwargs: Any,  # noqa: ANN401
    ) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.save_error = getattr(request, "save_error", None)
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Initial values from the query string, such as `?resource=3`, for the fields with a picker only."""
        pickers = self.get_autocomplete_fields(request)
        return {name: value for name, value in request.GET.items() if name in pickers}

    def formfield_for_foreignkey(
        self,
        db_field: models.ForeignKey,
        request: HttpRequest,
        **kwargs: Any,  # noqa: ANN401
    ) -> forms.ModelChoiceField | None:
        """Gives the fields in `autocomplete_fields` the picker that ignores invalid keys."""
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", TolerantAutocompleteSelect(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(
        self,
        db_field: models.ManyToManyField,
        request: HttpRequest,
        **kwargs: Any,  # noqa: ANN401
    ) -> forms.ModelMultipleChoiceField | None:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", TolerantAutocompleteSelectMultiple(db_field, self.admin_site))
        return super().formfield_for_manytomany(db_field, request, form_class=TolerantMultipleChoiceField, **kwargs)

    # --- Lists --------------------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ANN401
        return LimitedChangeList

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Converts the errors of an invalid query string.

        Raises:
            IncorrectLookupParameters: For a value that Django or the database rejects only while the query runs.
        """
        try:
            return super().get_changelist_instance(request)
        except (ValueError, OverflowError, DataError) as error:
            raise IncorrectLookupParameters(error) from error

    def get_paginator(self, request: HttpRequest, queryset: QuerySet, *args: Any, **kwargs: Any) -> BoundedPaginator:  # noqa: ANN401
        most = MOST_FOUND if request.GET.get(SEARCH_VAR) else MOST_COUNTED
        return BoundedPaginator(queryset, *args, most=most, **kwargs)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """The columns of a search, which finds words as the API does."""
        return [f"{name}__mentions" for name in super().get_search_fields(request)]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether the query string may use this lookup; a regular expression could burn CPU time without end."""
        return not lookup.endswith("regex") and super().lookup_allowed(lookup, value, request)

    def response_action(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """Runs a bulk action on the selected rows; rejects a selection with an invalid key.

        Keys come in one field each from a list, and in one field together from a question (`keys_of`).
        """
        keys = ",".join(request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)).split(",")
        if not all(is_key(key) for key in keys):
            self.message_user(request, "The selection cannot be read. Nothing was changed.", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        request.POST = request.POST.copy()
        request.POST.setlist(helpers.ACTION_CHECKBOX_NAME, keys)
        return super().response_action(request, queryset)

    # --- Removal ------------------------------------------------------------------------------------------------------

    def get_deleted_objects(
        self, objs: QuerySet | list[models.Model], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """The rows that a removal takes along; whoever may remove an object may remove all that belongs to it."""
        rows, counts, _, protected = super().get_deleted_objects(objs, request)
        return rows, counts, set(), protected

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Asks, then deletes the row; after a failed deletion, shows the list with the error."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except (errors.BookingError, IntegrityError) as error:
            self.message_user(request, sentence_of(booking_error_of(error)), messages.ERROR)
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    @admin.action(permissions=["delete"], description="Delete selected %(verbose_name_plural)s")
    def delete_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """Asks, then deletes each row in its own transaction, and reports every failure with its reason."""
        if not request.POST.get("post"):
            rows = list(queryset)
            question = admin.actions.delete_selected(self, request, queryset)
            question.context_data["queryset"] = [{"pk": keys_of(rows)}]
            return question
        failures: list[str] = []
        done = 0
        for obj in queryset.order_by("pk"):
            try:
                with transaction.atomic():
                    self.log_deletions(request, [obj])
                    self.delete_model(request, obj)
                done += 1
            except (errors.BookingError, IntegrityError) as error:
                failures.append(f"{self.describe(obj)}: {sentence_of(booking_error_of(error))}")
        self.report(request, {"deleted": done}, failures)
        return None

    def describe(self, obj: models.Model) -> str:
        """The name of a row in a report."""
        return str(obj)

    def report(self, request: HttpRequest, done: dict[str, int], failures: list[str], *, maximum: int = 10) -> None:
        """Reports the result of a bulk action.

        Args:
            request: The request.
            done: The number of changed rows, by past participle ("deleted").
            failures: A sentence for each row that failed.
            maximum: The number of failures to show in full.
        """
        for participle, number in done.items():
            if number:
                noun = self.opts.verbose_name if number == 1 else self.opts.verbose_name_plural
                self.message_user(request, f"{number} {noun} {participle}.", messages.SUCCESS)
        for sentence in failures[:maximum]:
            self.message_user(request, f"Not done: {sentence}", messages.ERROR)
        if len(failures) > maximum:
            self.message_user(request, f"{len(failures) - maximum} more were refused.", messages.ERROR)


class ForStaff(BaseAdmin):
    """An admin for all active staff; no further permissions are needed."""

    def is_allowed(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_staff

    @admin.display(description="user")
    def owner(self, row: Any) -> str:  # noqa: ANN401 - a row of any table with a column `user`
        """The name and the address of the user, and their bookings; a link to the account would end in a 403."""
        parts = [bookings_link(row.user.get_full_name() or row.user.get_username(), user__id__exact=row.user_id)]
        if row.user.email:
            parts.append(format_html('<a href="mailto:{0}">{0}</a>', row.user.email))
        return format_html_join(", ", "{}", ((part,) for part in parts))


class ForSuperusers(BaseAdmin):
    """An admin for superusers only."""

    def is_allowed(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_staff and request.user.is_superuser
