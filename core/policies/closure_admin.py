"""The admin of closures: a closure with something in its way is shown before it is stored."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.text import Truncator

from core import lifecycle
from core.choices import OnConflict
from core.errors import BookingError, ClosureMissing
from core.intervals import Interval
from core.lifecycle import ClosureChanges, Preview
from core.models import Closure, Resource
from core.policies.admin import ComingFilter
from core.policies.closure_options import digest_of, name_of_clash, options_of, slot_in_short
from core.policies.closure_serializers import MOST_RESOURCES
from core.policies.words import names_of
from core.record.forms import act_of
from core.staff.base import ForStaff
from core.staff.forms import HiddenStateField, ZonedForm
from core.staff.moments import MomentField, named, nowrap

# What the page that asks has inputs of its own for.
OWN = ("csrfmiddlewaretoken", "on_conflict", "seen")


class AskFirst(Exception):  # noqa: N818 - a signal to the page, which asks
    """Something is in the way of a closure, and nobody has seen it yet."""

    def __init__(self, preview: Preview) -> None:
        super().__init__()
        self.preview = preview


class NothingClosed(BookingError):
    """Staff look at the form once more; no client of the API gets this."""

    code = "nothing_closed"
    message = "Nothing is closed yet. Change what you like and save again."


class ClosureForm(ZonedForm):
    """A closure; the verbs check the rules after the form is valid."""

    start_time = MomentField(label=named("Start"))
    end_time = MomentField(label=named("End"))
    on_conflict = forms.ChoiceField(
        label="Where bookings are in the way",
        choices=OnConflict.choices,
        initial=OnConflict.REFUSE,
        required=False,
        widget=forms.RadioSelect,
        help_text="Before anything is stored, the next page lists them and asks once more.",
    )
    seen = HiddenStateField(required=False)

    class Meta:
        model = Closure
        fields = ("resources", "start_time", "end_time", "reason", "staff_note")
        help_texts: ClassVar = {
            "reason": "Everybody reads it, and each owner of a booking that the closure cancels gets it by e-mail."
        }

    def clean_resources(self) -> QuerySet[Resource]:
        """Checks that the resources are few enough for one call."""
        resources = self.cleaned_data["resources"]
        if len(resources) > MOST_RESOURCES:
            raise ValidationError(f"Close at most {MOST_RESOURCES} resources at once.")
        return resources

    @property
    def changes(self) -> ClosureChanges:
        """The edited fields; the others keep their stored values, with fractions of a second that the form hides."""
        names = ("start_time", "end_time", "reason", "staff_note")
        edited = {name: self.cleaned_data[name] for name in names if name in self.changed_data}
        if "resources" in self.changed_data:
            edited["resource_ids"] = [resource.pk for resource in self.cleaned_data["resources"]]
        return ClosureChanges(**edited)

    @property
    def moves(self) -> bool:
        """True if the closure takes another time or other resources than the stored one."""
        return bool({"start_time", "end_time", "resources"}.intersection(self.changed_data))

    @property
    def span(self) -> dict[str, Any]:
        """What the closure closes, and when."""
        moments = {
            name: self.cleaned_data[name] if name in self.changed_data else self.initial[name]
            for name in ("start_time", "end_time")
        }
        return {"resource_ids": [resource.pk for resource in self.cleaned_data["resources"]], **moments}


class ComingClosuresFilter(ComingFilter):
    """Filters closures by their end."""

    def periods(self) -> dict[str, dict[str, Any]]:
        now = timezone.now()
        return {"coming": {"end_time__gt": now}, "over": {"end_time__lte": now}}


@admin.register(Closure)
class ClosureAdmin(ForStaff):
    """Times in which resources are closed, latest first; every write goes through the verbs."""

    form = ClosureForm
    list_display = ("when", "what", "reason", "beginning_of_note", "made_by")
    list_filter = (ComingClosuresFilter,)
    ordering = ("-start_time", "-id")
    list_select_related = ("created_by",)
    search_fields = ("reason", "staff_note", "resources__name")
    date_hierarchy = "start_time"
    autocomplete_fields = ("resources",)

    class Media:
        css: ClassVar = {"all": ["core/admin/lists.css", "core/admin/rules.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Closure]:
        """All closures with the resources that name them."""
        return super().get_queryset(request).prefetch_related("resources")

    # --- Columns ------------------------------------------------------------------------------------------------------

    @admin.display(description=named("when"), ordering="start_time")
    def when(self, closure: Closure) -> str:
        return nowrap(slot_in_short(Interval(closure.start_time, closure.end_time)))

    @admin.display(description="resources")
    def what(self, closure: Closure) -> str:
        return names_of(closure)

    @admin.display(description="staff note")
    def beginning_of_note(self, closure: Closure) -> str:
        return Truncator(closure.staff_note).chars(40)

    @admin.display(description="made by", ordering="created_by__username")
    def made_by(self, closure: Closure) -> str:
        return closure.created_by.get_username() if closure.created_by else "-"

    def describe(self, obj: Closure) -> str:
        slot = slot_in_short(Interval(obj.start_time, obj.end_time))
        return f"{obj.reason}: {names_of(obj)}, {slot} {timezone.get_current_timezone()}"

    # --- The form -----------------------------------------------------------------------------------------------------

    def get_fieldsets(
        self, request: HttpRequest, obj: Closure | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        """The fields."""
        about = f"All times are in {timezone.get_current_timezone()}."
        return [
            (None, {"fields": ["resources"]}),
            ("Time", {"fields": ["start_time", "end_time", "zone", "on_conflict", "seen"], "description": about}),
            (None, {"fields": ["reason", "staff_note"]}),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Shows the form; between the form and the verb comes a page that asks, where something is in the way."""
        if "_edit" in request.POST:
            request.save_error = NothingClosed()
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except AskFirst as question:
            return self.ask(request, question.preview, is_new=object_id is None)

    def ask(self, request: HttpRequest, preview: Preview, *, is_new: bool) -> HttpResponse:
        """The page that lists what is in the way, and what each choice would do."""
        zone = timezone.get_current_timezone()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": "What is in the way",
            "zone": zone,
            "clashes": [(clash, name_of_clash(clash)) for clash in preview.clashes],
            "options": list(options_of(preview, chosen=request.POST.get("on_conflict"))),
            "sent": [(name, value) for name, values in request.POST.lists() if name not in OWN for value in values],
            "seen": digest_of(preview),
            "is_new": is_new,
            "reason": request.POST.get("reason", ""),
        }
        return TemplateResponse(request, "admin/core/closure/preview.html", context)

    def save_model(self, request: HttpRequest, obj: Closure, form: ClosureForm, change: bool) -> None:  # noqa: FBT001
        """Closes the resources, or changes the closure.

        Raises:
            AskFirst: When something is in the way that the page has not shown yet.
        """
        act = act_of(request)
        on_conflict = OnConflict(form.cleaned_data["on_conflict"] or OnConflict.REFUSE)
        cancelled = 0
        if not change or form.moves:
            stored = Closure.objects.filter(pk=obj.pk).first() if change else None
            if change and stored is None:
                raise ClosureMissing
            preview = lifecycle.preview(**form.span, now=act.now, closure=stored)
            if preview.clashes and form.cleaned_data["seen"] != digest_of(preview):
                raise AskFirst(preview)
            cancelled = len(preview.plans[on_conflict].cancelled)
        if change:
            lifecycle.change_closure(obj, changes=form.changes, on_conflict=on_conflict, act=act)
        else:
            data = form.cleaned_data
            texts = {"reason": data["reason"], "staff_note": data["staff_note"]}
            obj.pk = lifecycle.close(**form.span, **texts, on_conflict=on_conflict, act=act).pk
            obj._state.adding = False
        if cancelled:
            told = (
                "1 booking was cancelled; its owner is"
                if cancelled == 1
                else (f"{cancelled} bookings were cancelled; their owners are")
            )
            self.message_user(request, f"{told} told by e-mail.", messages.SUCCESS)

    def save_related(self, request: HttpRequest, form: ClosureForm, formsets: Any, change: bool) -> None:  # noqa: ANN401, FBT001
        """Nothing: the verbs have written the resources."""

    # --- Removal ------------------------------------------------------------------------------------------------------

    def get_deleted_objects(
        self, objs: QuerySet[Closure] | list[Closure], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """The closures; their rows in the table of bookings are part of them."""
        names = [self.describe(closure) for closure in objs]
        return names, {self.opts.verbose_name_plural: len(names)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Closure) -> None:
        """Lifts the closure by the verb."""
        lifecycle.lift(obj, now=timezone.now())
