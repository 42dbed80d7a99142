"""What narrows and orders the lists; an unknown parameter or a bad value is a 400 that lists what there is."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import serializers
from rest_framework.request import Request

from core import rules
from core.api.fields import MomentField
from core.api.query import PAGING, parameters_of, window_of, wrong_parameters
from core.choices import BookingStatus
from core.querysets import BookingQuerySet, ResourceQuerySet

if TYPE_CHECKING:
    from rest_framework.views import APIView

FLAG = [("true", "true"), ("false", "false")]
LARGEST_KEY = 2**63 - 1


class StrictForm(forms.Form):
    """A form in which parameters that are no fields are errors, and empty ones, and all but the last of several."""

    def clean(self) -> dict[str, Any]:
        """Refuse them."""
        lists = {name for name, field in self.fields.items() if isinstance(field, forms.MultipleChoiceField)}
        for name, messages in wrong_parameters(self.data, [*self.fields, *PAGING], lists=lists).items():
            self.errors[name] = self.error_class(messages)
        for name, value in self.data.items():
            if "\0" in value:
                self.errors[name] = self.error_class(["A NUL character is in this value."])
        return self.cleaned_data


class MomentFormField(forms.Field):
    """A moment with an offset, as everywhere in the API."""

    def to_python(self, value: object) -> datetime | None:
        """The moment."""
        if value in self.empty_values:
            return None
        try:
            return MomentField().run_validation(value)
        except serializers.ValidationError as error:
            # As a parameter: the message of the classic mistake has a percent sign.
            raise ValidationError("%(said)s", params={"said": " ".join(map(str, error.detail))}) from error


class MomentFilter(django_filters.Filter):
    """Compares with a moment."""

    field_class = MomentFormField


class KeyOrdering(django_filters.OrderingFilter):
    """Orders by one field, and by id where that one is the same, so that pages by key have a key."""

    def __init__(self, names: Sequence[str]) -> None:
        choices = [(sign + name, sign + name) for name in names for sign in ("", "-")]
        listed = ", ".join(name for name, _ in choices)
        super().__init__(
            fields=[(name, name) for name in names],
            choices=choices,
            error_messages={"invalid_choice": f"There is no such ordering. There are: {listed}."},
        )

    def filter(self, qs: QuerySet, value: list[str] | None) -> QuerySet:
        """The queryset in that order; of several fields the first decides."""
        if not value:
            return qs
        if len(value) > 1:
            raise serializers.ValidationError({"ordering": ["One field is needed, with - before it to turn it round."]})
        return qs.order_by(value[0], "-id" if value[0].startswith("-") else "id")


class FilterBackend(DjangoFilterBackend):
    """Filters by the parameters of a request."""

    def get_filterset_kwargs(self, request: Request, queryset: QuerySet, view: "APIView") -> dict[str, Any]:
        """What the filters are made of."""
        return {**super().get_filterset_kwargs(request, queryset, view), "data": parameters_of(request)}


class StrictFilterSet(django_filters.FilterSet):
    """The base of the lists' filters."""

    class Meta:
        form = StrictForm


def choice(options: list[tuple[str, str]], **more: Any) -> django_filters.ChoiceFilter:  # noqa: ANN401
    """A filter that takes one of a few words, and says which."""
    listed = ", ".join(name for name, _ in options)
    return django_filters.ChoiceFilter(choices=options, error_messages={"invalid_choice": f"Send {listed}."}, **more)


def whole_number(minimum: int, maximum: int, **more: Any) -> django_filters.Filter:  # noqa: ANN401
    """A filter that takes a whole number between two bounds."""
    return WholeNumberFilter(min_value=minimum, max_value=maximum, **more)


class WholeNumberFilter(django_filters.Filter):
    """Compares with a whole number."""

    field_class = forms.IntegerField


class ResourceFilters(StrictFilterSet):
    """Filters of the list of resources."""

    start = django_filters.CharFilter(
        method="leave", label="Start", help_text="The beginning of a window, with an offset."
    )
    end = django_filters.CharFilter(method="leave", label="End", help_text="The end of the window.")
    available = choice(
        FLAG, method="bookable", label="Available", help_text="Only those that could be booked for the whole window."
    )
    min_capacity = whole_number(1, 2_147_483_647, field_name="capacity", lookup_expr="gte")
    search = django_filters.CharFilter(
        method="find", label="Search", max_length=200, help_text="In name and description."
    )
    include = choice([("next_free", "next_free")], method="leave", label="Include", help_text="What to add to each.")
    ordering = KeyOrdering(["name", "capacity"])

    def leave(self, queryset: ResourceQuerySet, name: str, value: str) -> ResourceQuerySet:
        """Read elsewhere: it changes what is shown, not which rows."""
        return queryset

    def find(self, queryset: ResourceQuerySet, name: str, value: str) -> ResourceQuerySet:
        """Those in whose words the text occurs."""
        return queryset.filter(Q(name__icontains=value) | Q(description__icontains=value))

    def bookable(self, queryset: ResourceQuerySet, name: str, value: str) -> ResourceQuerySet:
        """Those that could be booked for the window, or the others."""
        window = window_of(self.request)
        if window is None:
            raise serializers.ValidationError({"available": ["Say for when: start and end are needed with it."]})
        possible = queryset.bookable_during(window, window=rules.window(now=timezone.now()))
        return possible if value == "true" else queryset.exclude(pk__in=possible.order_by().values("pk"))


class BookingFilters(StrictFilterSet):
    """Filters of the list of bookings."""

    resource = whole_number(1, LARGEST_KEY, field_name="resource_id")
    status = django_filters.MultipleChoiceFilter(
        choices=BookingStatus.choices,
        error_messages={"invalid_choice": f"Send {', '.join(BookingStatus.values)}; it may be repeated."},
        help_text="May be repeated.",
    )
    start_after = MomentFilter(field_name="start_time", lookup_expr="gte")
    start_before = MomentFilter(field_name="start_time", lookup_expr="lt")
    end_after = MomentFilter(field_name="end_time", lookup_expr="gt")
    end_before = MomentFilter(field_name="end_time", lookup_expr="lte")
    upcoming = choice(
        FLAG, method="not_over", label="Upcoming", help_text="Those that are not over, or with false those that are."
    )
    user = whole_number(1, LARGEST_KEY, method="of_user", help_text="Staff only.")
    search = django_filters.CharFilter(
        method="find",
        label="Search",
        max_length=200,
        help_text="In notes and resource name; for staff in the user name, too.",
    )
    ordering = KeyOrdering(["start_time", "created_at"])

    def not_over(self, queryset: BookingQuerySet, name: str, value: str) -> BookingQuerySet:
        """Those whose end is still to come, or the others."""
        now = timezone.now()
        return queryset.filter(end_time__gt=now) if value == "true" else queryset.filter(end_time__lte=now)

    def of_user(self, queryset: BookingQuerySet, name: str, value: int) -> BookingQuerySet:
        """Those of one user; only staff may ask for anybody but themselves."""
        if not self.request.user.is_staff and value != self.request.user.pk:
            raise serializers.ValidationError({"user": ["Only staff may ask for the bookings of others."]})
        return queryset.filter(user_id=value)

    def find(self, queryset: BookingQuerySet, name: str, value: str) -> BookingQuerySet:
        """Those in whose words the text occurs."""
        words = Q(notes__icontains=value) | Q(resource__name__icontains=value)
        if self.request.user.is_staff:
            words |= Q(user__username__icontains=value)
        return queryset.filter(words)
