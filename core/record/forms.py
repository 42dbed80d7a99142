"""What the pages of the admin give the record: the act, its reason, and the waived rules."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone

from core.choices import Waivable
from core.record.acts import Act
from core.record.kinds import Channel
from core.record.models import LONGEST_REASON
from core.texts import fold_line_ends


def act_of(request: HttpRequest, reason: str = "") -> Act:
    """The act of a member of staff on a page of the admin, at this moment."""
    return Act.of(request, now=timezone.now(), channel=Channel.ADMIN, reason=reason)


class ReasonField(forms.CharField):
    """Why staff decide as they do; the owner reads it."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(
            max_length=LONGEST_REASON,
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text="The owner reads it in the e-mail and in the history.",
            **kwargs,
        )

    def to_python(self, value: Any) -> str:  # noqa: ANN401 - Django's own signature
        return super().to_python(fold_line_ends(value) if isinstance(value, str) else value) or ""


class ReasonForm(forms.Form):
    """The reason for a decision about several bookings."""

    reason = ReasonField(required=False)

    def __init__(self, *args: Any, is_required: bool = False, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = is_required


class WaiverField(forms.MultipleChoiceField):
    """Tick boxes for the rules that staff may waive, one for each rule that has refused; hidden until one has."""

    def __init__(self) -> None:
        super().__init__(
            label="Book it all the same, without",
            help_text="Only what you tick is waived. The history of the booking keeps who waived which rule.",
            required=False,
            widget=forms.MultipleHiddenInput,
        )

    def offer(self, rules: Iterable[Waivable]) -> None:
        """Shows the boxes of these rules."""
        self.widget = forms.CheckboxSelectMultiple()
        self.choices = [(rule.value, rule.label) for rule in rules]

    def offer_after(self, refused: Iterable[Waivable | None], *, ticked: Iterable[str]) -> None:
        """Shows the boxes of the rules that were ticked, and of those that have refused."""
        known = {*ticked, *(rule for rule in refused if rule is not None)}
        if known:
            self.offer(rule for rule in Waivable if rule in known)

    def has_changed(self, initial: object, data: object) -> bool:
        return False


class WaiversMixin:
    """For a form with a field `override`."""

    fields: dict[str, Any]
    data: Any
    is_bound: bool

    def offer_waivers(self, *refused: Waivable | None) -> None:
        """Shows the boxes of the rules that were ticked, and of those that have refused."""
        self.fields["override"].offer_after(refused, ticked=self.data.getlist("override") if self.is_bound else [])
