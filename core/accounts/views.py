"""djoser's and simplejwt's views with this product's limits and without the routes it has no use for."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from djoser import views as djoser
from rest_framework.authentication import BaseAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework_simplejwt import views as jwt

from core import events
from core.accounts.authentication import is_too_old
from core.accounts.serializers import ProfilePictureSerializer, SignOutSerializer
from core.api import throttling
from core.api.query import ListParameters
from core.api.views import ApiView
from core.models import UserProfile


class SignInView(ApiView, djoser.TokenCreateView):
    """A token for a user name and a password; a stale one that is sent along does not matter."""

    authentication_classes = ()
    secret = True
    limits: ClassVar = {"post": throttling.SIGN_IN}

    def _action(self, serializer: BaseSerializer) -> Response:
        """The user's token; one that is too old makes way for a new one."""
        for token in Token.objects.filter(user=serializer.user):
            if is_too_old(token.created, now=self.now):
                token.delete()
        return super()._action(serializer)


class SignOutView(ApiView, djoser.TokenDestroyView):
    """Voids the caller's token."""

    secret = True


class JWTSignInView(ApiView, jwt.TokenObtainPairView):
    """A pair of JSON Web Tokens for a user name and a password."""

    secret = True
    limits: ClassVar = {"post": throttling.SIGN_IN}


class JWTRefreshView(ApiView, jwt.TokenRefreshView):
    """The next pair of JSON Web Tokens for a refresh token."""

    secret = True


class JWTVerifyView(ApiView, jwt.TokenVerifyView):
    """Says whether a JSON Web Token is good."""

    secret = True


class JWTSignOutView(ApiView, jwt.TokenBlacklistView):
    """Voids a refresh token."""

    secret = True
    serializer_class = SignOutSerializer

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """Void it; 401 where it is none."""
        super().post(request, *args, **kwargs)
        return Response(status=204)


class AccountViewSet(ApiView, djoser.UserViewSet):
    """Accounts: registration, one's own, passwords; all of them for superusers."""

    lookup_value_regex = "[0-9]+"
    queryset = get_user_model()._default_manager.select_related("profile").order_by("id")

    activation = None
    resend_activation = None
    set_username = None
    reset_username = None
    reset_username_confirm = None

    open_to_all = ("create", "reset_password", "reset_password_confirm")
    queries: ClassVar = {"list": ListParameters}
    secret = True
    # The single-page app signs people out when reading `me` fails, so that is never limited.
    limits: ClassVar = {
        "create": (throttling.RegistrationByAddress,),
        "reset_password": (throttling.PasswordResetByAddress, throttling.PasswordResetByAccount),
        "set_password": throttling.PASSWORD_GUESS,
        "destroy": throttling.PASSWORD_GUESS,
        "me delete": throttling.PASSWORD_GUESS,
        "me get": (),
        "me head": (),
    }

    def get_authenticators(self) -> list[BaseAuthentication]:
        """None for what is open to all: a stale token that is sent along does not matter there."""
        if self.action_map.get(str(self.request.method).lower()) in self.open_to_all:
            return []
        return super().get_authenticators()

    def get_object(self) -> User:
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
        events.publish(events.PasswordResetRequested(user=serializer.get_user(), at=self.now))
        return Response(status=204)

    @action(["post"], detail=False)
    def reset_password_confirm(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """Set a new password with what the mail brought; the tokens go with the old one."""
        with transaction.atomic():
            return super().reset_password_confirm(request, *args, **kwargs)


class ProfilePictureView(ApiView, APIView):
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


class ProfilePictureDeleteView(ApiView, APIView):
    """The way to be without a picture."""

    def delete(self, request: Request) -> Response:
        """Clear the picture and its Cloudinary id."""
        profile, _ = UserProfile.objects.get_or_create(user=request.user)
        profile.profile_picture = profile.cloudinary_public_id = None
        profile.save(update_fields=["profile_picture", "cloudinary_public_id", "updated_at"])
        return Response({"message": "The profile picture was removed."})
