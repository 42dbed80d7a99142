"""The page of the timeline: a day or a week of all resources, and the acts on a booking."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse
from django.urls import reverse
from django.utils import timezone

from core import lifecycle
from core.choices import Decision
from core.desk.days import UNIT, Days
from core.desk.drawing import Pen
from core.desk.forms import ChoiceOfDays, DecisionForm, MoveForm
from core.desk.taking_back import PARAMETER, require_version, version_of, way_back
from core.desk.timeline import Line, lines_of, one_zone
from core.errors import BookingError
from core.hours.clock import DAY
from core.lifecycle import Changes
from core.models import Booking, Resource
from core.record.forms import act_of
from core.staff.forms import is_key, words_of
from core.staff.moments import sentence_of
from core.staff.pages import StaffPage
from core.terms import attach_terms
from core.zones import house_zone

# The resources of one page.
MOST_RESOURCES = 200
MOVE = "move"
DONE = {**{each.value: each.status.label.capitalize() for each in Decision}, MOVE: "Moved"}


@dataclass
class Panel:
    """A booking that was chosen, with the forms of its acts."""

    booking: Booking
    decision: DecisionForm
    move: MoveForm
    error: str = ""

    @property
    def seen(self) -> str:
        return version_of(self.booking)

    @property
    def decisions(self) -> list[Decision]:
        """The decisions that are possible now."""
        return [each for each in Decision if self.booking.status in each.about]


class TimelinePage(StaffPage):
    """The timeline. It works without script; with script a booking is also made, moved and stretched by dragging."""

    title = "Timeline"
    template_name = "core/desk/timeline.html"
    styles = ("core/admin/desk.css", "core/admin/timeline.css")
    scripts = ("core/vendor/interact.min.js", "core/admin/timeline.js")

    # --- What is shown ------------------------------------------------------------------------------------------------

    @cached_property
    def choice(self) -> ChoiceOfDays:
        return ChoiceOfDays(self.request.GET)

    @cached_property
    def asked(self) -> dict[str, Any]:
        """What the address asks for; the parts that nobody can read are left out, and the form says so."""
        form = self.choice
        form.is_valid()
        return {name: form.cleaned_data.get(name) for name in form.fields}

    @cached_property
    def page_number(self) -> int:
        text = self.request.GET.get("page", "1")
        return max(int(text), 1) if text.isdecimal() and len(text) < 6 else 1

    @cached_property
    def resources(self) -> list[Resource]:
        """The resources of the page and the next one, with their terms. Two statements."""
        found = Resource.objects.with_house().order_by("name", "pk")
        for word in words_of(self.asked["q"] or ""):
            found = found.mentioning(word)
        if self.asked["capacity"]:
            found = found.filter(capacity__gte=self.asked["capacity"])
        if self.asked["state"]:
            window = self.days_in(self.asked["zone"] or house_zone()).window
            of_state = Booking.objects.filter(resource=OuterRef("pk"), status=self.asked["state"])
            found = found.filter(Exists(of_state.overlapping(window)))
        first = (self.page_number - 1) * MOST_RESOURCES
        resources = list(found[first : first + MOST_RESOURCES + 1])
        attach_terms(resources, since=timezone.now())
        return resources

    @cached_property
    def zone(self) -> ZoneInfo:
        """The chosen zone; else that of the resources, if they have the same one, or that of the house."""
        return self.asked["zone"] or one_zone(self.resources, house_zone())

    def days_in(self, zone: ZoneInfo) -> Days:
        """The shown days in a zone: the asked ones, else those of today."""
        day: date = self.asked["day"] or timezone.now().astimezone(zone).date()
        if self.asked["span"] == "week":
            return Days(day - day.weekday() * DAY, 7, zone)
        return Days(day, 1, zone)

    def address(self, **changed: object) -> str:
        """The address of the page with other parameters; an empty one is left out."""
        kept = {name: self.request.GET.get(name, "") for name in (*self.choice.fields, "page", "booking")}
        asked = {name: value for name, value in {**kept, **changed}.items() if value not in ("", None)}
        return f"{reverse('admin:timeline')}?{urlencode(asked)}"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ANN401 - Django's own
        """Answers in the zone of the page."""
        with timezone.override(self.zone):
            response = super().dispatch(request, *args, **kwargs)
            return response.render() if isinstance(response, SimpleTemplateResponse) else response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - Django's own
        days, now = self.days_in(self.zone), timezone.now()
        lines = lines_of(self.resources[:MOST_RESOURCES], days, now=now)
        pen = Pen(self.zone, with_booking=self.address(booking="") + "&booking=")
        step = timedelta(days=days.number)
        return super().get_context_data(
            **{
                "choice": self.choice
                if self.choice.errors
                else ChoiceOfDays({"day": days.first, **self.request.GET.dict()}),
                "days": days,
                "subtitle": subtitle_of(days),
                "lines": [(line, pen.line(line)) for line in lines],
                "resource_list": reverse("admin:core_resource_changelist"),
                "headings": days.headings,
                "columns": range(days.window.duration // UNIT),
                "unit": UNIT // timedelta(minutes=1),
                "now_heading": next((each for each in days.headings if each.span.start <= now < each.span.end), None),
                "earlier": self.address(day=days.first - step, booking=""),
                "later": self.address(day=days.first + step, booking=""),
                "today": self.address(day="", booking=""),
                "as_day": self.address(span="", booking=""),
                "as_week": self.address(span="week", booking=""),
                "previous_page": self.address(page=self.page_number - 1) if self.page_number > 1 else "",
                "next_page": self.address(page=self.page_number + 1) if len(self.resources) > MOST_RESOURCES else "",
                "here": self.address(booking=""),
                "panel": self.panel(),
                "back": self.request.GET.get(PARAMETER, ""),
                "zones": sorted({self.zone.key, house_zone().key, *zones_of(lines)}),
                **kwargs,
            }
        )

    def filled_in(self, days: Days) -> ChoiceOfDays:
        """The form as it was sent, with the shown day where it names none."""
        return self.choice if self.choice.errors else ChoiceOfDays({"day": days.first, **self.request.GET.dict()})

    # --- The panel of a booking, and its acts -------------------------------------------------------------------------

    @cached_property
    def booking(self) -> Booking | None:
        """The chosen booking."""
        key = self.request.POST.get("booking") or self.request.GET.get("booking", "")
        return Booking.objects.in_full().filter(pk=key).first() if is_key(key) else None

    def panel(self, *, error: BookingError | None = None, form: MoveForm | DecisionForm | None = None) -> Panel | None:
        """The panel; after a refusal with the form that was sent, and the error."""
        if self.booking is None:
            return None
        decision = form if isinstance(form, DecisionForm) else DecisionForm()
        times = {"start_time": self.booking.start_time, "end_time": self.booking.end_time}
        unmoved = {"resource": self.booking.resource_id, **times}
        move = form if isinstance(form, MoveForm) else MoveForm(initial=unmoved)
        self.fill(move)
        move.offer_waivers(error.waivable if error else None)
        return Panel(self.booking, decision, move, sentence_of(error) if error else "")

    def fill(self, move: MoveForm) -> None:
        """The choices of the form: the resources of the page, and that of the booking."""
        assert self.booking is not None
        choices = {each.pk: each.name for each in [*self.resources[:MOST_RESOURCES], self.booking.resource]}
        select = move.fields["resource"].widget
        select.choices = sorted(choices.items(), key=lambda each: each[1])

    def post(self, request: HttpRequest) -> HttpResponse:
        """Does an act, and shows the picture again: after a refusal with the reason and with what was typed."""
        action, booking = request.POST.get("action", ""), self.booking
        if booking is None:
            messages.error(request, "This booking does not exist any more.")
            return HttpResponseRedirect(self.address(booking=""))
        if action not in DONE:
            return self.refused(400)
        form = self.form_of(action)
        if not form.is_valid():
            return self.refused(400, form=form)
        try:
            after = self.do(action, booking, form.cleaned_data)
        except BookingError as error:
            return self.refused(error.status, error=error, form=form)
        messages.success(request, f"{DONE[action]}: {after}.")
        shown = self.address(booking="" if action != MOVE else after.pk)
        return HttpResponseRedirect(f"{shown}&{PARAMETER}={way_back(booking, after)}")

    def form_of(self, action: str) -> MoveForm | DecisionForm:
        """The form of an act as it was sent."""
        if action != MOVE:
            return DecisionForm(self.request.POST)
        move = MoveForm(self.request.POST)
        move.offer_waivers(None)
        return move

    def do(self, action: str, booking: Booking, values: dict[str, Any]) -> Booking:
        """The act by its verb.

        Raises:
            BookingError: The rules refuse it, or somebody has changed the booking since the page was drawn.
        """
        request, check = self.request, require_version(self.request.POST.get("seen", ""))
        if action == MOVE:
            times = {name: values[name] for name in ("start_time", "end_time")}
            changes, override = Changes(resource_id=values["resource"], **times), values["override"]
            return lifecycle.change(booking, changes=changes, act=act_of(request), override=override, check=check)
        decision, act = Decision(action), act_of(request, values["reason"])
        changes = Changes(status=decision.status)
        return lifecycle.change(booking, changes=changes, act=act, expected=decision.about, check=check)

    def refused(self, status: int, **panel: Any) -> HttpResponse:  # noqa: ANN401 - of `panel`
        """The page with the reason of a refusal."""
        context = self.get_context_data(panel=self.panel(**panel))
        return self.render_to_response(context, status=status)


def subtitle_of(days: Days) -> str:
    """The shown days in words."""
    first, last = (moment.astimezone(days.zone) for moment in (days.days[0].start, days.days[-1].start))
    if not days.is_week:
        return f"{first:%A %d %B %Y}"
    return f"{first:%a %d %B} to {last:%a %d %B %Y}, week {first.isocalendar().week}"


def zones_of(lines: list[Line]) -> set[str]:
    """The zones of the resources."""
    return {line.resource.time_zone for line in lines if line.resource.time_zone}
