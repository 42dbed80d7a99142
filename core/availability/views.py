"""Availability over HTTP. Open to all callers; an answer never tells strangers who booked, or why."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from core import quotas, rules
from core.api.pagination import Cursor, link_header, list_fingerprint
from core.api.query import Parameters
from core.api.views import ApiView, found
from core.availability import slots, timelines
from core.availability.serializers import FirstSlotParameters, SlotParameters, TimelineParameters
from core.availability.timelines import Reader, shown_resource
from core.intervals import Interval
from core.models import Booking, Resource
from core.querysets import SHORTEST, outermost
from core.terms import attach_terms, terms_of

DEFAULT_WINDOW = timedelta(days=7)
MAX_BOOKINGS = 5_000

# The cursor of a page of slots holds the start of the next slot.
SLOT_ORDER = ("start_time",)


class TimelineView(ApiView, APIView):
    """The busy and free intervals of a resource."""

    about = "The busy and free intervals of a resource."
    permission_classes = (AllowAny,)
    query = TimelineParameters
    public = True

    def get(self, request: Request, pk: int) -> Response:
        parameters = self.parameters
        now = self.now
        window = Interval(parameters["start"] or now, parameters["end"] or now + DEFAULT_WINDOW)
        first, last = outermost(rules.offered_window(now=now), SHORTEST)
        resource = found(shown_resource.first(pk=self.key, window=None, first=first, last=last))
        attach_terms([resource], since=min(window.start, now))
        rows = timelines.read_rows(window, [resource], most=MAX_BOOKINGS + 1)[resource.pk]
        if len(rows) > MAX_BOOKINGS:
            message = f"There are more than {MAX_BOOKINGS} bookings in this window. Ask for a smaller one."
            raise ValidationError({"end": [message]})
        reader = Reader(request.user.pk, request.user.is_staff)
        hours = terms_of(resource).timetable
        offer = timelines.offers_of([resource], {resource.pk: rows}, now=now).get(resource.pk)
        return Response(
            {
                "busy": timelines.busy_json(rows, window, reader),
                **({} if hours.always_open else {"closed": timelines.closed_json(resource, window)}),
                "free": timelines.free_json(resource, rows, window, offer, now=now),
                "next_free": timelines.next_free([resource], now=now).get(resource.pk, resource.next_free),
            }
        )


class SlotsView(ApiView, APIView):
    """The bookable slots of a resource, on a grid of a local clock."""

    about = "The bookable slots of a resource, on a grid of a local clock."
    permission_classes = (AllowAny,)
    query = SlotParameters
    public = True

    def get(self, request: Request, pk: int) -> Response:
        parameters = self.parameters
        resource = found(shown_resource.first(pk=self.key, window=None, first=None, last=None))
        attach_terms([resource], since=self.now)
        fingerprint, cursor, start = list_fingerprint(request, SLOT_ORDER), parameters["cursor"], parameters["start"]
        if cursor is not None:
            start = max([start, *Cursor.decode(cursor, fingerprint, Booking, SLOT_ORDER).values])
        slots = self.slots_of(resource, Interval(start, parameters["end"]), parameters)
        page = [slot.as_json() for slot in islice(slots, parameters["limit"])]
        url = request.build_absolute_uri()
        links = {"first": remove_query_param(url, "cursor")}
        next_slot = next(slots, None)
        if next_slot is not None:
            links["next"] = replace_query_param(url, "cursor", Cursor((next_slot.start,)).encode(fingerprint))
        return Response(page, headers={"Link": link_header(links)})

    def slots_of(self, resource: Resource, window: Interval, parameters: Parameters) -> Iterator[Interval]:
        """Yields the slots that the caller can book, in order."""
        bookable_slots = slots.bookable_slots(
            resource,
            window,
            duration=timedelta(minutes=parameters["duration"]),
            step=parameters["step"],
            zone=parameters["timezone"],
            now=self.now,
        )
        bookable = rules.bookable_part(window, resource, now=self.now)
        if bookable is None or not self.request.user.is_authenticated:
            return bookable_slots
        return filter(quotas.check_of(self.request.user, resource, bookable, now=self.now), bookable_slots)


class FirstSlotsView(ApiView, APIView):
    """The first slot of each resource in a window, soonest first."""

    about = "The first slot of each resource in a window, soonest first."
    permission_classes = (AllowAny,)
    query = FirstSlotParameters
    public = True

    def get(self, request: Request) -> Response:
        parameters = self.parameters
        first_slots = slots.first_slots(
            Interval(parameters["start"], parameters["end"]),
            duration=timedelta(minutes=parameters["duration"]),
            min_capacity=parameters["min_capacity"],
            now=self.now,
            limit=parameters["limit"],
        )
        return Response(
            [
                {
                    "resource": resource.pk,
                    "resource_name": resource.name,
                    "capacity": resource.capacity,
                    **slot.as_json(),
                }
                for resource, slot in first_slots
            ]
        )
