"""Views of accounts, sign-in and profile pictures, on the basis of djoser and simplejwt."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from djoser import views as djoser
from rest_framework.authentication import BaseAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework_simplejwt import views as jwt

from core import events
from core.accounts.authentication import is_too_old
from core.accounts.permissions import IsOwnAccountOrSuperuser
from core.accounts.serializers import ProfilePictureSerializer, SignOutSerializer
from core.addresses import canonical
from core.api import throttling
from core.api.query import ListParameters
from core.api.views import ApiView
from core.calendars.feeds import end_feeds
from core.models import UserProfile


class SignInView(ApiView, djoser.TokenCreateView):
    """Exchanges a user name and a password for an API token; ignores a token in the request, even a stale one."""

    about = "Exchanges a user name and a password for an API token."
    authentication_classes = ()
    secret = True
    limits: ClassVar = {"post": throttling.SIGN_IN}

    def _action(self, serializer: BaseSerializer) -> Response:
        """Deletes a token that is too old, so that djoser creates another."""
        for token in Token.objects.filter(user=serializer.user):
            if is_too_old(token.created, now=self.now):
                token.delete()
        return super()._action(serializer)


class SignOutView(ApiView, djoser.TokenDestroyView):
    """Voids the caller's API token."""

    about = "Voids the caller's API token."
    secret = True


class JWTSignInView(ApiView, jwt.TokenObtainPairView):
    """Exchanges a user name and a password for a pair of JSON Web Tokens."""

    about = "Exchanges a user name and a password for a pair of JSON Web Tokens."
    secret = True
    limits: ClassVar = {"post": throttling.SIGN_IN}


class JWTRefreshView(ApiView, jwt.TokenRefreshView):
    """Exchanges a refresh token for the next pair of JSON Web Tokens."""

    about = "Exchanges a refresh token for the next pair of JSON Web Tokens."
    secret = True


class JWTVerifyView(ApiView, jwt.TokenVerifyView):
    """Checks a JSON Web Token."""

    about = "Checks a JSON Web Token."
    secret = True


class JWTSignOutView(ApiView, jwt.TokenBlacklistView):
    """Voids a refresh token."""

    about = "Voids a refresh token."
    secret = True
    serializer_class = SignOutSerializer

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """Answers 204, or 401 for an invalid token."""
        super().post(request, *args, **kwargs)
        return Response(status=204)


class AccountViewSet(ApiView, djoser.UserViewSet):
    """Accounts: registration, passwords, the caller's own account, and all accounts for superusers."""

    about = "Accounts: registration, and for superusers every account."
    abouts: ClassVar = {
        "me": "The caller's own account.",
        "set_password": "Changes the caller's own password, and voids the caller's tokens.",
        "reset_password": "Sends an e-mail with a link to set a new password, if there is such an account.",
        "reset_password_confirm": "Sets a new password with `uid` and `token` from that e-mail, and voids all tokens.",
    }
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
    # GET `me` has no limit: the single-page app signs the user out when that request fails.
    limits: ClassVar = {
        "create": (throttling.RegistrationByAddress,),
        "reset_password": (throttling.PasswordResetByAddress, throttling.PasswordResetByAccount),
        "set_password": throttling.PASSWORD_GUESS,
        "destroy": throttling.PASSWORD_GUESS,
        "update": throttling.PASSWORD_IF_SENT,
        "partial_update": throttling.PASSWORD_IF_SENT,
        "me put": throttling.PASSWORD_IF_SENT,
        "me patch": throttling.PASSWORD_IF_SENT,
        "me delete": throttling.PASSWORD_GUESS,
        "me get": (),
        "me head": (),
    }

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Reads no token for public actions, so that a stale token does not make them fail."""
        if self.action_map.get(str(self.request.method).lower()) in self.open_to_all:
            return []
        return super().get_authenticators()

    def get_permissions(self) -> list[BasePermission]:
        """Lets everybody use an address whose actions are all public; a method that it does not have is a 405."""
        if set(self.action_map.values()) <= set(self.open_to_all):
            return [AllowAny()]
        return super().get_permissions()

    def get_object(self) -> User:
        """The account of the address, or the caller's own if the address has no id.

        Callers who may not see an account are refused before the look-up, so they do not learn whether it exists.
        """
        if self.lookup_field not in self.kwargs:
            return self.get_instance()
        if not self.request.user.is_superuser and self.kwargs[self.lookup_field] != str(self.request.user.pk):
            self.permission_denied(self.request, message=IsOwnAccountOrSuperuser.message)
        return super().get_object()

    def perform_create(self, serializer: BaseSerializer, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Stores the account and announces its e-mail address."""
        with transaction.atomic():
            super().perform_create(serializer, *args, **kwargs)
            events.publish(events.EmailEntered(user=serializer.instance, at=self.now))

    def perform_update(self, serializer: BaseSerializer, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Stores the changes and announces a new e-mail address."""
        before = canonical(serializer.instance.email)
        with transaction.atomic():
            super().perform_update(serializer, *args, **kwargs)
            if serializer.instance.email != before:
                events.publish(events.EmailEntered(user=serializer.instance, at=self.now))

    def get_success_headers(self, data: Mapping[str, Any]) -> dict[str, str]:
        """The `Location` of a new account."""
        return {"Location": reverse("user-detail", args=[data["id"]], request=self.request)}

    @action(["get", "put", "patch", "delete"], detail=False)
    def me(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """The caller's own account; djoser's own action ignores HEAD."""
        if request.method == "HEAD":
            return self.retrieve(request, *args, **kwargs)
        return super().me(request, *args, **kwargs)

    @action(["post"], detail=False)
    def set_password(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """Changes the caller's own password, and voids the tokens in the same transaction."""
        with transaction.atomic():
            user, sent = self.save_password(request)
            if sent.get("end_calendar_feeds"):
                end_feeds(user)
        return Response(status=204)

    @action(["post"], detail=False)
    def reset_password(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """Requests a reset mail; neither the response nor its duration reveals whether the address has an account."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        events.publish(events.PasswordResetRequested(user=serializer.get_user(), at=self.now))
        return Response(status=204)

    @action(["post"], detail=False)
    def reset_password_confirm(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """Sets a password with the values from a reset mail; voids the tokens and the calendar feeds with it.

        Who resets a password may have lost it to somebody who made a feed.
        """
        with transaction.atomic():
            user, _ = self.save_password(request)
            end_feeds(user)
        return Response(status=204)

    def save_password(self, request: Request) -> tuple[User, Mapping[str, Any]]:
        """Stores the password of the caller or of the user of a reset link; returns the user and the sent values."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = getattr(serializer, "user", request.user)
        user.set_password(serializer.validated_data["new_password"])
        user.save(update_fields=["password"])
        return user, serializer.validated_data


class ProfilePictureView(ApiView, APIView):
    """The caller's own profile picture."""

    about = "The caller's own profile picture."
    serializer_class = ProfilePictureSerializer

    def put(self, request: Request) -> Response:
        """Sets the picture; an absent Cloudinary id is cleared."""
        return self.store(request, clear_absent_id=True)

    def patch(self, request: Request) -> Response:
        """Sets the picture; an absent Cloudinary id keeps its value."""
        return self.store(request, clear_absent_id=False)

    def store(self, request: Request, *, clear_absent_id: bool) -> Response:
        profile, _ = UserProfile.objects.get_or_create(user=request.user)
        serializer = ProfilePictureSerializer(profile, data=request.data)
        serializer.is_valid(raise_exception=True)
        clear_id = clear_absent_id and "cloudinary_public_id" not in request.data
        serializer.save(**({"cloudinary_public_id": None} if clear_id else {}))
        return Response(serializer.data)


class ProfilePictureDeleteView(ApiView, APIView):
    """Removes the caller's own profile picture."""

    about = "Removes the caller's own profile picture."

    def delete(self, request: Request) -> Response:
        profile, _ = UserProfile.objects.get_or_create(user=request.user)
        profile.profile_picture = profile.cloudinary_public_id = None
        profile.save(update_fields=["profile_picture", "cloudinary_public_id", "updated_at"])
        return Response({"message": "The profile picture was removed."})
