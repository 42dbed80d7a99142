"""What is free? Open to all; nothing here tells strangers who booked, or why."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from rest_framework.exceptions import ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from core import rules
from core.api.pagination import Cursor, link_header, list_fingerprint
from core.api.query import Parameters
from core.api.views import ApiView
from core.availability import timelines
from core.availability.serializers import FirstSlotParameters, SlotParameters, TimelineParameters
from core.intervals import Interval
from core.models import Booking, Resource

USUAL_WINDOW = timedelta(days=7)
MOST_ENTRIES = 5_000

# What a cursor of slots holds: where the next one starts.
SLOT_ORDER = ("start_time",)


class TimelineView(ApiView, APIView):
    """The time line of a resource."""

    permission_classes = (AllowAny,)
    query = TimelineParameters
    public = True

    def get(self, request: Request, pk: int) -> Response:
        """What is busy and what is free in the window, and from when on one could book."""
        parameters = self.parameters
        now = self.now
        window = Interval(parameters["start"] or now, parameters["end"] or now + USUAL_WINDOW)
        resource = get_object_or_404(Resource.objects.with_next_free(window=rules.offered_window(now=now)), pk=pk)
        rows = Booking.objects.within(window, resource_id=resource.pk)
        found = list(rows.values_list("start_time", "end_time", "status", "pk", "user_id")[: MOST_ENTRIES + 1])
        if len(found) > MOST_ENTRIES:
            many = f"There are more than {MOST_ENTRIES} bookings in this window. Ask for a smaller one."
            raise ValidationError({"end": [many]})
        whose, sees_all = request.user.pk, request.user.is_staff
        free = [gap.as_json() for gap in timelines.free_in(window, (Interval(*row[:2]) for row in found))]
        busy = []
        for start, end, status, booking_id, user_id in found:
            entry = {"start_time": start, "end_time": end, "status": status}
            if sees_all or user_id == whose:
                entry["id"] = booking_id
            busy.append(entry)
        if busy:  # they do not overlap, so only the outer ones can reach beyond the window
            busy[0]["start_time"] = max(busy[0]["start_time"], window.start)
            busy[-1]["end_time"] = min(busy[-1]["end_time"], window.end)
        return Response({"busy": busy, "free": free, "next_free": resource.next_free})


class SlotsView(ApiView, APIView):
    """The starts at which a booking of a resource is possible."""

    permission_classes = (AllowAny,)
    query = SlotParameters
    public = True

    def get(self, request: Request, pk: int) -> Response:
        """The slots, on a grid of a local clock."""
        parameters = self.parameters
        resource = get_object_or_404(Resource, pk=pk)
        mark, word, since = list_fingerprint(request, SLOT_ORDER), parameters["cursor"], parameters["start"]
        if word is not None:
            since = max([since, *Cursor.decode(word, mark, Booking, SLOT_ORDER).values])
        found = self.slots_of(resource, Interval(since, parameters["end"]), parameters)
        shown = [slot.as_json() for slot in islice(found, parameters["limit"])]
        here = request.build_absolute_uri()
        links = {"first": remove_query_param(here, "cursor")}
        following = next(found, None)
        if following is not None:
            links["next"] = replace_query_param(here, "cursor", Cursor((following.start,)).encode(mark))
        return Response(shown, headers={"Link": link_header(links)})

    def slots_of(self, resource: Resource, asked: Interval, parameters: Parameters) -> Iterator[Interval]:
        """Those of a resource in a window, in order."""
        window = rules.bookable_part(asked, resource, now=self.now)
        if window is None:
            return iter(())
        return timelines.slots(
            window,
            timelines.taken_in(window, resource_id=resource.pk),
            duration=timedelta(minutes=parameters["duration"]),
            step=parameters["step"],
            zone=parameters["timezone"],
        )


class FirstSlotsView(ApiView, APIView):
    """A slot of some length on whatever resource has one."""

    permission_classes = (AllowAny,)
    query = FirstSlotParameters
    public = True

    def get(self, request: Request) -> Response:
        """For each resource its first slot in the window, soonest first."""
        parameters = self.parameters
        found = timelines.first_slots(
            Interval(parameters["start"], parameters["end"]),
            duration=timedelta(minutes=parameters["duration"]),
            min_capacity=parameters["min_capacity"],
            now=self.now,
            most=parameters["limit"],
        )
        return Response(
            [
                {
                    "resource": resource.pk,
                    "resource_name": resource.name,
                    "capacity": resource.capacity,
                    **slot.as_json(),
                }
                for resource, slot in found
            ]
        )
