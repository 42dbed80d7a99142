"""Preferences over HTTP, and the pages behind the links in messages."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.views import ApiView
from core.notifications import links, preferences
from core.notifications.kinds import Kind
from core.notifications.serializers import PreferencesSerializer


class PreferencesView(ApiView, APIView):
    """One's own preferences."""

    serializer_class = PreferencesSerializer

    def get(self, request: Request) -> Response:
        """Show them; without any stored, the defaults."""
        return Response(PreferencesSerializer(preferences.preferences_of(request.user)).data)

    def patch(self, request: Request) -> Response:
        """Change what is named."""
        serializer = PreferencesSerializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        changed = preferences.change(request.user, **serializer.validated_data)
        return Response(PreferencesSerializer(changed).data)


@method_decorator([csrf_exempt, never_cache], name="dispatch")
class LinkView(View):
    """A page behind a signed link: GET asks, POST does. What scanners of mail fetch changes nothing.

    The link itself is the permission, so no cookie matters and no forged request can do more than its sender could.
    """

    http_method_names = ("get", "head", "post", "options")
    salt: str
    template: str

    def dispatch(self, request: HttpRequest, *args: Any, token: str, **kwargs: Any) -> HttpResponse:  # noqa: ANN401
        """Read the link first."""
        try:
            user_id, self.about = links.read(token, salt=self.salt)
        except (BadSignature, ValueError, TypeError):
            return self.page(request, "unknown", status=404)
        self.user = get_user_model()._default_manager.filter(pk=user_id).first()
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        return self.page(request, "question")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Do it; doing it again changes nothing. Where the account is gone, so are its messages."""
        if self.user is not None:
            self.act(request)
        return self.page(request, "done")

    def act(self, request: HttpRequest) -> None:
        """What the link is for."""
        raise NotImplementedError

    def context(self) -> dict[str, Any]:
        """What the page says beside."""
        return {}

    def page(self, request: HttpRequest, state: str, *, status: int = 200) -> HttpResponse:
        """The page in one of its states."""
        context = {"state": state, **(self.context() if state != "unknown" else {})}
        return render(request, self.template, context, status=status)


class UnsubscribeView(LinkView):
    """No more messages of a kind: by a click here, or by the mail program's own button (RFC 8058)."""

    salt = links.UNSUBSCRIBE
    template = "core/notifications/unsubscribe.html"

    def context(self) -> dict[str, Any]:
        """The kind of messages."""
        return {"kind": Kind(self.about).label}

    def act(self, request: HttpRequest) -> None:
        """Switch off that kind, or all of them where the page's other button was pressed."""
        preferences.switch_off(self.user, preferences.ALL if request.POST.get("which") == "all" else self.about)


class NotMeView(LinkView):
    """Somebody gave an address that is not theirs."""

    salt = links.NOT_ME
    template = "core/notifications/not_me.html"

    def context(self) -> dict[str, Any]:
        """The address."""
        return {"address": self.about}

    def act(self, request: HttpRequest) -> None:
        """Send nothing more there."""
        preferences.refuse_address(self.user, self.about)
