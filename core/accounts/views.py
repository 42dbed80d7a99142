"""djoser's and simplejwt's views with this product's limits and without the routes it has no use for."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from djoser import views as djoser
from rest_framework.authentication import BaseAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from rest_framework_simplejwt import views as jwt

from core import events
from core.accounts.authentication import is_too_old
from core.accounts.serializers import ProfilePictureSerializer, SignOutSerializer
from core.api import throttling
from core.api.query import PAGING, require_known
from core.models import UserProfile


class SignInMixin:
    """The limits of sign-ins for them alone: another method, which is refused, counts like any other call."""

    def get_throttles(self) -> list[BaseThrottle]:
        """The limits of this call."""
        if self.request.method == "POST":  # type: ignore[attr-defined]
            return [throttle() for throttle in throttling.SIGN_IN]
        return super().get_throttles()  # type: ignore[misc]


class SignInView(SignInMixin, djoser.TokenCreateView):
    """A token for a user name and a password; a stale one that is sent along does not matter."""

    authentication_classes = ()

    def _action(self, serializer: BaseSerializer) -> Response:
        """The user's token; one that is too old makes way for a new one."""
        for token in Token.objects.filter(user=serializer.user):
            if is_too_old(token.created, now=timezone.now()):
                token.delete()
        return super()._action(serializer)


class JWTSignInView(SignInMixin, jwt.TokenObtainPairView):
    """A pair of JSON Web Tokens for a user name and a password."""


class JWTSignOutView(jwt.TokenBlacklistView):
    """Voids a refresh token."""

    serializer_class = SignOutSerializer

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """Void it; 401 where it is none."""
        super().post(request, *args, **kwargs)
        return Response(status=204)


class AccountViewSet(djoser.UserViewSet):
    """Accounts: registration, one's own, passwords; all of them for superusers."""

    lookup_value_regex = "[0-9]+"
    queryset = get_user_model()._default_manager.select_related("profile").order_by("id")

    activation = None
    resend_activation = None
    set_username = None
    reset_username = None
    reset_username_confirm = None

    open_to_all = ("create", "reset_password", "reset_password_confirm")

    def get_authenticators(self) -> list[BaseAuthentication]:
        """None for what is open to all: a stale token that is sent along does not matter there."""
        if self.action_map.get(str(self.request.method).lower()) in self.open_to_all:
            return []
        return super().get_authenticators()

    def get_throttles(self) -> list[BaseThrottle]:
        """The limits of the action; the single-page app signs people out when `me` fails, so that has none."""
        if self.action == "create":
            return [throttling.RegistrationByAddress()]
        if self.action == "reset_password":
            return [throttling.PasswordResetByAddress(), throttling.PasswordResetByAccount()]
        deletes = self.action == "destroy" or (self.action == "me" and self.request.method == "DELETE")
        if (deletes or self.action == "set_password") and self.request.user.is_authenticated:
            return [throttling.SignInByAddress(), throttling.PasswordGuessByUser()]
        if self.action == "me" and self.request.method in ("GET", "HEAD"):
            return []
        return super().get_throttles()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """All of them, or the page asked for."""
        require_known(request, PAGING)
        return super().list(request, *args, **kwargs)

    def get_object(self) -> AbstractBaseUser:
        """The account that the address names, or the caller's own where it names none."""
        return super().get_object() if self.lookup_field in self.kwargs else self.get_instance()

    def get_success_headers(self, data: Mapping[str, Any]) -> dict[str, str]:
        """Where a new account can be read."""
        return {"Location": reverse("user-detail", args=[data["id"]], request=self.request)}

    @action(["get", "put", "patch", "delete"], detail=False)
    def me(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """One's own account. djoser itself knows no HEAD here."""
        if request.method == "HEAD":
            return self.retrieve(request, *args, **kwargs)
        return super().me(request, *args, **kwargs)

    @action(["post"], detail=False)
    def set_password(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """Change one's own password; the tokens go with the old one."""
        with transaction.atomic():
            return super().set_password(request, *args, **kwargs)

    @action(["post"], detail=False)
    def reset_password(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """Send the way to a new password; the answer, and the time it takes, say nothing of whether there is a user."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        events.publish(events.PasswordResetRequested(user=serializer.get_user(), at=timezone.now()))
        return Response(status=204)

    @action(["post"], detail=False)
    def reset_password_confirm(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """Set a new password with what the mail brought; the tokens go with the old one."""
        with transaction.atomic():
            return super().reset_password_confirm(request, *args, **kwargs)


class ProfilePictureView(APIView):
    """One's own picture."""

    serializer_class = ProfilePictureSerializer

    def put(self, request: Request) -> Response:
        """Set it, and with it the Cloudinary id, which is none where none is sent."""
        return self.store(request, forget=True)

    def patch(self, request: Request) -> Response:
        """Set it; a Cloudinary id that is not sent stays."""
        return self.store(request, forget=False)

    def store(self, request: Request, *, forget: bool) -> Response:
        """Write what was sent."""
        profile, _ = UserProfile.objects.get_or_create(user=request.user)
        serializer = ProfilePictureSerializer(profile, data=request.data)
        serializer.is_valid(raise_exception=True)
        cleared = {"cloudinary_public_id": None} if forget and "cloudinary_public_id" not in request.data else {}
        serializer.save(**cleared)
        return Response(serializer.data)


class ProfilePictureDeleteView(APIView):
    """The way to be without a picture."""

    def delete(self, request: Request) -> Response:
        """Clear the picture and its Cloudinary id."""
        profile, _ = UserProfile.objects.get_or_create(user=request.user)
        profile.profile_picture = profile.cloudinary_public_id = None
        profile.save(update_fields=["profile_picture", "cloudinary_public_id", "updated_at"])
        return Response({"message": "The profile picture was removed."})
