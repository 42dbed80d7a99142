"""Preferences over HTTP, and the pages behind the links in messages."""

from typing import Any, ClassVar, cast

from django.contrib.auth.models import User
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api import throttling
from core.api.views import ApiView
from core.notifications import links, messages, preferences
from core.notifications.kinds import Kind
from core.notifications.serializers import PreferencesSerializer


class PreferencesView(ApiView, APIView):
    """The caller's own preferences."""

    about = "The caller's own preferences."
    serializer_class = PreferencesSerializer

    def get(self, request: Request) -> Response:
        """Shows the stored preferences, or the defaults."""
        return Response(PreferencesSerializer(preferences.preferences_of(cast(User, request.user))).data)

    def patch(self, request: Request) -> Response:
        serializer = PreferencesSerializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        changed = preferences.change(cast(User, request.user), **serializer.validated_data)
        return Response(PreferencesSerializer(changed).data)


class ConfirmationView(ApiView, APIView):
    """Sends the link that confirms the caller's e-mail address."""

    about = "Sends the link that confirms the caller's e-mail address."
    limits: ClassVar = {"post": throttling.CONFIRMATION}

    def post(self, request: Request) -> Response:
        """Sends the link, unless the address is confirmed."""
        messages.confirmation_wanted(cast(User, request.user), now=self.now)
        return Response(status=204)


@method_decorator([csrf_exempt, never_cache], name="dispatch")
class LinkView(View):
    """A page behind a signed link. GET asks for confirmation and POST acts, so that mail scanners change nothing.

    The link is the only permission and cookies do not count, so a forged request gains nothing and needs no CSRF token.
    """

    http_method_names = ("get", "head", "post", "options")
    salt: str
    template: str

    def dispatch(self, request: HttpRequest, *args: object, token: str, **kwargs: object) -> HttpResponseBase:
        try:
            user_id, self.subject = links.read_token(token, salt=self.salt)
        except (BadSignature, ValueError, TypeError):
            return self.page(request, "unknown", status=404)
        self.user = User._default_manager.filter(pk=user_id).first()
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, "question")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Acts, and may be repeated; if the account was deleted, no messages are left to stop."""
        if self.user is not None:
            self.act(self.user, request)
        return self.page(request, "done")

    def act(self, user: User, request: HttpRequest) -> None:
        raise NotImplementedError

    def context(self) -> dict[str, Any]:
        return {}

    def page(self, request: HttpRequest, state: str, *, status: int = 200) -> HttpResponse:
        """Renders the page in a state: `unknown`, `question` or `done`."""
        context = {"state": state, **(self.context() if state != "unknown" else {})}
        return render(request, self.template, context, status=status)


class UnsubscribeView(LinkView):
    """Switches off a kind of messages: by a button here, or by the mail program's own button (RFC 8058)."""

    salt = links.UNSUBSCRIBE
    template = "core/notifications/unsubscribe.html"

    def context(self) -> dict[str, Any]:
        return {"kind": Kind(self.subject).label}

    def act(self, user: User, request: HttpRequest) -> None:
        """Switches off the kind of the link, or every optional kind if the page's second button was pressed."""
        preferences.switch_off(user, preferences.ALL if request.POST.get("which") == "all" else self.subject)


class NotMeView(LinkView):
    """Stops all messages to an address, for a reader who does not own the account."""

    salt = links.NOT_ME
    template = "core/notifications/not_me.html"

    def context(self) -> dict[str, Any]:
        return {"address": self.subject}

    def act(self, user: User, request: HttpRequest) -> None:
        preferences.refuse_address(user, self.subject)


class ConfirmEmailView(LinkView):
    """Confirms the e-mail address of an account."""

    salt = links.CONFIRM
    template = "core/notifications/confirm_email.html"
    is_present = False

    def context(self) -> dict[str, Any]:
        return {"address": self.subject, "is_present": self.is_present}

    def act(self, user: User, request: HttpRequest) -> None:
        self.is_present = preferences.confirm_address(user, self.subject)
