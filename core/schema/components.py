"""The sentences about the components of the OpenAPI description."""

from drf_spectacular.utils import extend_schema_serializer

from core.accounts import serializers as accounts
from core.accounts.schema import WholePictureSerializer
from core.availability import serializers as availability
from core.calendars.schema import NewFeedSerializer, ShownFeedSerializer
from core.calendars.serializers import CalendarFeedSerializer
from core.history.serializers import ActSerializer
from core.notifications.serializers import PreferencesSerializer
from core.policies import closure_serializers as closures
from core.policies.closure_schema import WholeClosureSerializer, WholeTrialSerializer
from core.schema.bookings import CheckSerializer, NewBookingSerializer
from core.schema.resources import ShownResourceSerializer
from core.serializers import BookingSerializer, ResourceSerializer

SENTENCES = {
    accounts.DeleteAccountSerializer: "The caller's own password, which confirms the deletion of an account.",
    accounts.JWTSignInSerializer: "A user name and a password for a pair of JSON Web Tokens.",
    accounts.ProfilePictureSerializer: "The picture of a profile.",
    accounts.RefreshSerializer: "A refresh token.",
    accounts.RegistrationSerializer: "A new account.",
    accounts.ResetPasswordConfirmSerializer: "A new password for somebody who got the reset mail.",
    accounts.ResetPasswordSerializer: "The e-mail address of an account, to which a reset link is sent.",
    accounts.SetPasswordSerializer: "A password change with the current password.",
    accounts.SignInSerializer: "A user name and a password, in exchange for an API token.",
    accounts.UserSerializer: "An account, as its user and superusers read it.",
    accounts.VerifySerializer: "A token to be checked.",
    WholePictureSerializer: "A profile's picture.",
    availability.BusySerializer: "A span of time that is taken; `id` only for its owner and staff.",
    availability.FirstSlotSerializer: "The first slot of a resource.",
    availability.SlotSerializer: "A span of time.",
    availability.TimelineSerializer: "The busy and free intervals, and `next_free`.",
    ActSerializer: "An act on a booking.",
    CalendarFeedSerializer: "A calendar feed. Only the answer to POST shows the URL.",
    NewFeedSerializer: "A feed, and once its address.",
    ShownFeedSerializer: "A feed; its address is shown only in the answer that makes it.",
    PreferencesSerializer: "Which messages a user wants, when to be reminded, and the time zone of their times.",
    closures.ClashSerializer: "A booking, or another closure, in the way of a closure.",
    WholeClosureSerializer: "A time in which resources are closed.",
    WholeTrialSerializer: "A closure to be tried, or how a closure is to be changed.",
    closures.PartSerializer: "A time of a resource.",
    closures.PlanSerializer: "What a closure would do.",
    closures.PreviewSerializer: "What is in the way of a closure, and what each `on_conflict` would do.",
    BookingSerializer: "A booking of a resource by a user.",
    CheckSerializer: "A booking to be tried, or how one is to be moved.",
    NewBookingSerializer: "A booking to be made, as staff may send it.",
    ResourceSerializer: "A resource, and its availability in the wanted window.",
    ShownResourceSerializer: "A resource and how it stands in the window asked for.",
}

for serializer, sentence in SENTENCES.items():
    extend_schema_serializer(description=sentence)(serializer)
