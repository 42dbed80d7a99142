"""Tables of rows inside the page of another object: for all staff, written by verbs, tolerant of any input."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest

from core.staff.forms import StoredTextField

# How many rows a page shows, and how many new ones a browser may add at once: a form has at most 1000 fields.
MOST_ROWS = 30


class FirstRows(BaseInlineFormSet):
    """Shows the first rows alone; what a browser sends may be about any row of the object."""

    def get_queryset(self) -> QuerySet:
        if not hasattr(self, "_shown"):
            rows = super().get_queryset()
            self._shown = rows if self.is_bound else self.narrow(rows)[:MOST_ROWS]
        return self._shown

    def narrow(self, rows: QuerySet) -> QuerySet:
        """The rows that are worth showing."""
        return rows


class StaffInline(admin.TabularInline):
    """A table for all active staff; its rows are written by the `save_formset` of the page."""

    formset = FirstRows
    extra = 1
    formfield_overrides: ClassVar = {models.CharField: {"form_class": StoredTextField}}

    def get_formset(self, request: HttpRequest, obj: models.Model | None = None, **kwargs: Any) -> type:  # noqa: ANN401
        return super().get_formset(request, obj, absolute_max=2 * MOST_ROWS, max_num=2 * MOST_ROWS, **kwargs)

    def is_allowed(self, request: HttpRequest) -> bool:
        """Whether the caller has every permission on these rows."""
        return request.user.is_active and request.user.is_staff

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.is_allowed(request)

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.is_allowed(request)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.is_allowed(request)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.is_allowed(request)
