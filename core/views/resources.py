"""Resources over HTTP: parse, write, render."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cache, cached_property, partial
from typing import Any, ClassVar, cast

from django.db import transaction
from django.db.models import Q, QuerySet
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer

from core import lifecycle, offers, rules
from core.api.etags import is_fresh, with_tag
from core.api.lists import RowsMixin
from core.api.pagination import KeyPagination, value_of
from core.api.query import ordered
from core.api.views import ApiView, TaggedMixin, found
from core.availability import timelines
from core.availability.timelines import Reader
from core.exports.tables import RESOURCES, Table
from core.exports.views import ExportedListMixin
from core.hours import Timetable
from core.intervals import Interval
from core.models import Resource
from core.permissions import IsAdminOrReadOnly
from core.prepared import KEY, Listing, prepared
from core.querysets import SHORTEST, ResourceQuerySet, is_bookable, locked, outermost
from core.serializers import (
    ResourceListParameters,
    ResourceParameters,
    ResourceSerializer,
    TimelinesParameters,
    usual_window,
)
from core.terms import NO_POLICY, Facts, Terms, attach_terms, read_terms, terms_of

# So far ahead a window may begin for what is taken until then to be read with it.
NEAR = timedelta(days=7)
MOST_SPANS = 20_000


def require_few(spans: int) -> None:
    """Checks that an answer has not too many spans.

    Raises:
        ValidationError: When there are more than `MOST_SPANS`.
    """
    if spans > MOST_SPANS:
        message = f"There are more than {MOST_SPANS} spans in this window. Ask for fewer resources by limit."
        raise ValidationError({"end": [message]})


def has_terms(row: Any) -> bool:  # noqa: ANN401 - a resource or a dict of its columns
    """True if the terms of the resource have to be read."""
    return bool(value_of(row, "has_terms") or value_of(row, "house_has_terms"))


def facts_in(row: Mapping[str, Any]) -> Facts:
    """What the row of a list says about the terms of its resource."""
    return Facts(row["id"], *(row[name] for name in Facts._fields[1:]))


class ResourceViewSet(ExportedListMixin, ApiView, TaggedMixin, viewsets.ModelViewSet):
    """Resources. Everybody may read, staff may write."""

    about = "Resources. Everybody may read, staff may write."
    serializer_class = ResourceSerializer
    permission_classes = (IsAdminOrReadOnly,)
    lookup_value_regex = "[0-9]+"
    query = ResourceParameters
    queries: ClassVar = {"list": ResourceListParameters, "availability": TimelinesParameters}
    public = True
    queryset = Resource.objects.all()
    # The resources with terms that could be booked for the window; None until somebody asks.
    allowed: Collection[int] | None = None
    next_free: Mapping[int, datetime | None] = {}

    def get_queryset(self) -> QuerySet[Resource]:
        """Resources with their availability in the wanted window, or from now on."""
        resources = Resource.objects.with_house().with_availability(self.shown_window)
        if "next_free" not in self.includes:
            return resources
        return resources.with_next_free(window=rules.offered_window(now=self.now))

    def get_object(self) -> Resource:
        """The resource, with what its terms add to its row."""
        window = rules.offered_window(now=self.now)
        first, last = outermost(window, SHORTEST) if "next_free" in self.includes else (None, None)
        resource = found(timelines.shown_resource.first(pk=self.key, window=self.shown_window, first=first, last=last))
        self.check_object_permissions(self.request, resource)
        self.attach([resource])
        for name, value in self.by_terms(resource.pk, terms_of(resource)).items():
            setattr(resource, ResourceSerializer.added.get(name, name), value)
        return resource

    def exported(self) -> Table:
        return RESOURCES

    def read_page(self) -> Sequence[Any]:
        return self.with_allowed(super().read_page)

    def listed(self) -> QuerySet[Resource] | Listing[Any]:
        """The rows of the list; those of a search or of a window that must be free are not prepared."""
        serializer = self.get_serializer_class()
        return self.listing(serializer) if self.is_plain else super().listed()

    @property
    def is_plain(self) -> bool:
        """True if the list is neither searched nor narrowed by a window."""
        return not self.parameters["search"] and self.parameters["available"] is None

    def listing(self, serializer: type[BaseSerializer] | None) -> Listing[Any]:
        """The prepared list: dicts by a serializer, else resources with `next_free`."""
        asked, window = self.parameters, rules.offered_window(now=self.now)
        with_next_free = serializer is None or "next_free" in self.includes
        first, last = outermost(window, SHORTEST) if with_next_free else (None, None)
        return Listing(
            listed_resources,
            serializer=serializer,
            window=self.shown_window,
            first=first,
            last=last,
            min_capacity=asked["min_capacity"],
            ordering=asked["ordering"],
        )

    def complete(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows with what their terms say. Terms cost at most one further statement, and none without terms."""
        facts = [facts_in(row) for row in rows]
        _, shown = ResourceSerializer.including(self.includes).columns()
        unseen = [name for name in ResourceSerializer.hidden if name not in shown]
        ruled = [each for each in facts if each.has_terms or each.house_has_terms]
        terms = read_terms(ruled, since=min(self.shown_window.start, self.now))
        if ruled and "next_free" in self.includes:
            self.attach(list(Resource.objects.with_house().filter(pk__in=list(terms))))
        for row in rows:
            for name in unseen:
                del row[name]
            row |= self.by_terms(row["id"], terms[row["id"]]) if row["id"] in terms else self.without_terms
        return rows

    def with_allowed(self, read: Callable[[], Sequence[Any]]) -> Sequence[Any]:
        """The rows of a page; reads a part of a list twice if `available` is asked and the answer depends on terms."""
        rows = read()
        if self.parameters["available"] is None or self.window is None:
            return rows
        is_whole = cast(KeyPagination, self.paginator).rest is None
        if is_whole and not any(map(has_terms, rows)):
            return rows
        free = Resource.objects.with_any_terms().filter(is_available=True).free_during(self.window)
        self.allowed = {each.pk for each in offers.allowing(self.window, list(free), now=self.now)}
        if is_whole and self.parameters["limit"] is None and not self.parameters["count"]:
            asked = self.parameters["available"]
            return [row for row in rows if not has_terms(row) or (value_of(row, "id") in self.allowed) == asked]
        return read()

    @action(["get"], detail=False, url_name="timelines")
    def availability(self, request: Request) -> Response:
        """The time lines of many resources."""
        window, now = self.shown_window, self.now
        resources = self.with_allowed(lambda: self.paginate_queryset(self.found_resources()) or [])
        attach_terms(resources, since=min(window.start, now))
        # What was read from now on answers `next_free`, too.
        is_near = window.start <= now + NEAR and window.end > now
        seen = Interval(min(window.start, now), window.end) if is_near else window
        rows = timelines.read_rows(seen, resources, most=MOST_SPANS + 1)
        require_few(sum(map(len, rows.values())))
        reader = Reader(request.user.pk, request.user.is_staff, frozenset(self.includes))
        tag = f'"{timelines.version_of(resources, rows, window, reader, now=now)}"'
        if is_fresh(request, tag):
            lines: list[dict[str, Any]] = []
        else:
            found_offers = timelines.offers_of(resources, rows, now=now)
            known = (Interval(now, seen.end), found_offers) if is_near else None
            starts = timelines.next_free(resources, now=now, known=known)
            lines = [
                {
                    **timelines.timeline_json(each, rows[each.pk], window, found_offers.get(each.pk), reader, now=now),
                    "next_free": starts.get(each.pk, each.next_free),
                }
                for each in resources
            ]
        require_few(sum(len(line[name]) for line in lines for name in ("busy", "closed", "free")))
        return with_tag(request, self.get_paginated_response(lines), tag)

    def found_resources(self) -> Any:  # noqa: ANN401 - a queryset or a prepared list
        """The resources whose time lines are asked, with `next_free`."""
        if self.is_plain:
            return self.listing(None)
        return self.narrow(Resource.objects.with_house().with_next_free(window=rules.offered_window(now=self.now)))

    def attach(self, resources: Collection[Resource]) -> None:
        """Attaches the terms, and works out from when on each resource could be booked, when that is asked."""
        attach_terms(resources, since=min(self.shown_window.start, self.now))
        self.next_free = timelines.next_free(resources, now=self.now) if "next_free" in self.includes else {}

    def by_terms(self, resource_id: int, terms: Terms) -> dict[str, Any]:
        """What the terms change in the answer, or add to it."""
        shown: dict[str, Any] = {}
        if self.is_closed(terms.timetable):
            shown["availability_status"] = "unavailable"
        if resource_id in self.next_free:
            shown["next_free"] = self.next_free[resource_id]
        if "policy" in self.includes:
            shown["policy"] = asdict(terms.policy)
        if "open" in self.includes:
            shown["open"] = timelines.open_json(terms.timetable, self.shown_window)
        return shown

    @cached_property
    def is_closed(self) -> Callable[[Timetable], bool]:
        """Whether a timetable is closed for the whole window; worked out once for the resources that share it."""
        return cache(partial(timelines.is_closed_throughout, window=self.shown_window))

    @cached_property
    def without_terms(self) -> dict[str, Any]:
        """What a resource without terms adds to the answer."""
        shown: dict[str, Any] = {"policy": asdict(NO_POLICY), "open": [self.shown_window.as_json()]}
        return {name: value for name, value in shown.items() if name in self.includes}

    def get_serializer_class(self) -> type[BaseSerializer]:
        """The serializer, with what `include` adds; that of the table for a file."""
        if self.file_form is not None:
            return self.exported().serializer
        return ResourceSerializer.including(self.includes)

    @property
    def window(self) -> Interval | None:
        """The wanted window, or None."""
        start, end = self.parameters.get("start"), self.parameters.get("end")
        return Interval(start, end) if start is not None and end is not None else None

    @cached_property
    def shown_window(self) -> Interval:
        """The window of the answer: the wanted one, or the usual one."""
        return self.window or usual_window(self.now)

    @property
    def includes(self) -> frozenset[str]:
        """What the caller asks to add."""
        return frozenset(self.parameters.get("include") or ())

    def narrow(self, queryset: ResourceQuerySet) -> QuerySet[Resource]:
        asked, resources = self.parameters, queryset
        if asked["min_capacity"] is not None:
            resources = resources.filter(capacity__gte=asked["min_capacity"])
        if asked["search"]:
            resources = resources.mentioning(asked["search"])
        if asked["available"] is not None and self.window is not None:
            resources = self.narrow_by_window(resources, self.window, available=asked["available"])
        return ordered(resources, asked["ordering"])

    def narrow_by_window(self, resources: ResourceQuerySet, window: Interval, *, available: bool) -> ResourceQuerySet:
        """Those that could be booked for the window, or those that could not.

        The query knows no terms. So the first look leaves all resources with terms in, and the second takes `allowed`.
        """
        bookable = is_bookable(window, window=rules.window(now=self.now))
        by_query = bookable if available else ~bookable
        ruled = Q(has_terms=True) | Q(house_has_terms=True)
        if self.allowed is None:
            return resources.filter(by_query | ruled)
        allowed = Q(pk__in=self.allowed)
        return resources.filter((by_query & ~ruled) | (ruled & (allowed if available else ~allowed)))

    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        self.kwargs["pk"] = serializer.save().pk
        made = self.get_object()
        location = reverse("resource-detail", args=[made.pk], request=request)
        return self.answer(made, status=201, headers={"Location": location})

    def update(self, request: Request, pk: str, *, partial: bool = False) -> Response:
        row = self.get_object()
        with transaction.atomic():
            self.require_version(row)
            serializer = self.get_serializer(row, data=request.data, partial=partial)
            serializer.is_valid(raise_exception=True)
            serializer.save()
        return self.answer(self.get_object())

    def destroy(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        lifecycle.delete_resource(row, check=partial(self.require_version, row))
        return Response(status=204)

    def require_version(self, row: Resource) -> None:
        """Locks the row and checks `If-Match`."""
        if locked(Resource.objects.filter(pk=row.pk)).first() is None:
            raise NotFound
        check = self.version_check()
        if check is not None:
            check(self.get_object())


@prepared(window=Interval, first=Interval, last=Interval, min_capacity=KEY)
def listed_resources(
    *,
    serializer: type[RowsMixin] | None,
    window: Interval,
    first: Interval | None,
    last: Interval | None,
    min_capacity: int | None,
    ordering: str | None,
    most: int | None,
) -> QuerySet[Resource]:
    """The resources of a list.

    Args:
        serializer: Its columns are read, as dicts; None for resources without their availability.
        window: That of the availability.
        first: The first slot that answers `next_free`; None if that is not asked.
        last: The last such slot.
        min_capacity: The least capacity.
        ordering: As in the query string.
        most: How many are read at most; None for all.
    """
    resources = Resource.objects.with_house()
    if min_capacity is not None:
        resources = resources.filter(capacity__gte=min_capacity)
    if first is not None or serializer is None:
        resources = resources.with_first_gap(first, last, length=SHORTEST, name="next_free")
    if serializer is None:
        return ordered(resources, ordering)[:most]
    return serializer.rows(ordered(resources.with_availability(window), ordering))[:most]
