"""Serializers of accounts, passwords and tokens, on the basis of djoser and simplejwt."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.validators import URLValidator
from django.db import models, transaction
from django.utils import timezone
from djoser import serializers as djoser
from djoser.utils import decode_uid
from rest_framework import serializers
from rest_framework_simplejwt import serializers as jwt
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.settings import api_settings as jwt_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken, UntypedToken

from core.accounts.authentication import SIGN_IN_CLAIM, JWTAuthentication
from core.accounts.fields import AddressField, NameField
from core.accounts.identity import free_email, free_name, users_with_email
from core.addresses import canonical
from core.api.fields import LARGEST_KEY, FlagField, FormsMixin, KnownFieldsMixin, SentColumnsMixin
from core.models import UserProfile
from core.querysets import locked

# The claim that all refresh tokens of one sign-in share.
FAMILY_CLAIM = "family"

PASSWORD = {"trim_whitespace": False, "style": {"input_type": "password"}}

# The meaning of the fields of an account.
WORDS = {
    "username": {"help_text": "Unique, whatever its case; stored in Unicode's form NFKC."},
    "email": {"help_text": "Unique; stored in lower case, and its domain in ASCII (`xn--...`)."},
    "first_name": {"help_text": "May be empty."},
    "last_name": {"help_text": "May be empty."},
    "is_staff": {"help_text": "Whether this is one of those who keep the resources."},
    "is_active": {"help_text": "False: the account is closed."},
}


class IdentityMixin:
    """Keeps user names and e-mail addresses in their stored forms, and unique in any case."""

    def build_standard_field(self, field_name: str, model_field: models.Field) -> tuple[type, dict[str, Any]]:
        """The class of a field and its arguments."""
        field_class, options = super().build_standard_field(field_name, model_field)
        return {"username": NameField, "email": AddressField}.get(field_name, field_class), options

    def validate_username(self, value: str) -> str:
        """The name; an error when another user has the name."""
        return free_name(value, except_id=self._own_id)

    def validate_email(self, value: str) -> str:
        """The address; an error when another user has the address."""
        return free_email(value, except_id=self._own_id)

    @property
    def _own_id(self) -> int | None:
        return getattr(self.instance, "pk", None)


class RegistrationSerializer(IdentityMixin, KnownFieldsMixin, djoser.UserCreateSerializer):
    """Registers an account."""

    password = serializers.CharField(
        write_only=True,
        help_text="Hard to guess: not too common, not like the rest, not only digits, 8 to 128 characters.",
        **PASSWORD,
    )
    answered = ("is_staff", "is_active", "profile_picture")

    class Meta(djoser.UserCreateSerializer.Meta):
        fields = ("id", "username", "email", "first_name", "last_name", "password")
        extra_kwargs: ClassVar = {**WORDS, "email": {**WORDS["email"], "required": True, "allow_blank": False}}

    def create(self, validated_data: dict[str, Any]) -> User:
        """Saves the account; skips djoser's own handling of `IntegrityError`, which hides the field."""
        return self.perform_create(validated_data)


class UserSerializer(
    IdentityMixin, FormsMixin, SentColumnsMixin, djoser.CurrentPasswordSerializer, serializers.ModelSerializer
):
    """An account, as its user and superusers read it."""

    current_password = serializers.CharField(
        write_only=True, required=False, help_text="The caller's own. Needed with a new `email`.", **PASSWORD
    )
    profile_picture = serializers.SerializerMethodField(help_text="Its address; null when there is none.")

    class Meta:
        model = User
        fields = (
            "id",
            "username",
            "email",
            "first_name",
            "last_name",
            "is_staff",
            "is_active",
            "profile_picture",
            "current_password",
        )
        read_only_fields = ("is_staff", "is_active")
        extra_kwargs: ClassVar = {
            **WORDS,
            "username": {**WORDS["username"], "required": False},
            "email": {**WORDS["email"], "required": False, "allow_blank": False},
        }

    def get_profile_picture(self, user: User) -> str | None:
        """The URL of the picture, or None."""
        profile = getattr(user, "profile", None)
        return profile.profile_picture if profile else None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Checks that a new e-mail address comes with the password: the address can reset the password."""
        has_password = attrs.pop("current_password", None) is not None
        stored = canonical(self.instance.email)
        if not has_password and attrs.get("email", stored) != stored:
            raise serializers.ValidationError(
                {"current_password": ["A new email address needs the current password."]}, code="required"
            )
        return attrs


class SignInSerializer(KnownFieldsMixin, djoser.TokenCreateSerializer):
    """A user name and a password, in exchange for an API token."""

    password = serializers.CharField(**PASSWORD)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        super().__init__(*args, **kwargs)
        self.fields["username"] = serializers.CharField()


class JWTSignInSerializer(KnownFieldsMixin, jwt.TokenObtainPairSerializer):
    """A user name and a password for a pair of JSON Web Tokens."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        super().__init__(*args, **kwargs)
        self.fields["password"] = serializers.CharField(write_only=True, **PASSWORD)

    @classmethod
    def get_token(cls, user: User) -> RefreshToken:
        """A refresh token with the moment of the sign-in, which every renewal copies."""
        token = super().get_token(user)
        token[SIGN_IN_CLAIM] = int(timezone.now().timestamp())
        token[FAMILY_CLAIM] = uuid.uuid4().hex
        return token


class OneUseMixin(KnownFieldsMixin):
    """Accepts a refresh token once: of several concurrent requests with the same token, only the first succeeds."""

    answered = ("access",)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Locks the token's row, then validates and uses the token."""
        key = UntypedToken(attrs["refresh"])["jti"]
        with transaction.atomic():
            locked(OutstandingToken.objects.filter(jti=key)).first()
            return super().validate(attrs)


class RefreshSerializer(OneUseMixin, jwt.TokenRefreshSerializer):
    """The next pair of tokens; an error when the account is gone or its password has changed."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        """Void the token; a token that is used again voids its whole family (RFC 9700, section 4.14.2).

        Either that token or its successor was stolen, and nobody can tell which.
        """
        try:
            JWTAuthentication().get_user(RefreshToken(attrs["refresh"]))
            return super().validate(attrs)
        except TokenError:
            void_family(attrs["refresh"])
            raise


def void_family(refresh: str) -> None:
    """Void all refresh tokens of the sign-in from which a token comes; do nothing if the token is not ours."""
    try:
        token = UntypedToken(refresh)
    except TokenError:
        return
    not_before = timezone.now() - jwt_settings.LEEWAY
    live = OutstandingToken.objects.filter(
        user_id=token.get("user_id"), expires_at__gt=not_before, blacklistedtoken__isnull=True
    )
    kin = [
        row for row in live if UntypedToken(row.token, verify=False).get(FAMILY_CLAIM, "") == token.get(FAMILY_CLAIM)
    ]
    BlacklistedToken.objects.bulk_create((BlacklistedToken(token=row) for row in kin), ignore_conflicts=True)


class SignOutSerializer(OneUseMixin, jwt.TokenBlacklistSerializer):
    """Voids a refresh token."""


class VerifySerializer(KnownFieldsMixin, jwt.TokenVerifySerializer):
    """Checks that a token is valid and its account can still sign in."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        JWTAuthentication().get_user(UntypedToken(attrs["token"]))
        try:
            return super().validate(attrs)
        except serializers.ValidationError as error:
            # simplejwt reports a voided token as bad input (400); here it is an invalid token (401).
            raise InvalidToken(str(error.detail[0])) from error


class NewPasswordMixin(KnownFieldsMixin, serializers.Serializer):
    """A new password, and its repetition where the endpoint takes one."""

    new_password = serializers.CharField(**PASSWORD)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Rejects a repetition that differs from the new password."""
        repeated = attrs.get("re_new_password")
        if repeated is not None and repeated != attrs["new_password"]:
            raise serializers.ValidationError({"re_new_password": ["The two password fields didn't match."]})
        return super().validate(attrs)


class SetPasswordSerializer(NewPasswordMixin, djoser.SetPasswordSerializer):
    """A password change with the current password."""

    current_password = serializers.CharField(**PASSWORD)
    re_new_password = serializers.CharField(required=False, **PASSWORD)
    end_calendar_feeds = FlagField(
        required=False, help_text="True: all calendar feeds of the account end as well. A reset always ends them."
    )


class ResetPasswordSerializer(KnownFieldsMixin, djoser.SendEmailResetSerializer):
    """The e-mail address of an account, to which a reset link is sent."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        super().__init__(*args, **kwargs)
        self.fields["email"] = AddressField()

    def get_user(self, is_active: bool = True) -> User | None:  # noqa: FBT001, FBT002 - djoser's own
        """The active user with that address and a usable password, or None."""
        user = users_with_email(self.validated_data["email"]).filter(is_active=is_active).first()
        return user if user is not None and user.has_usable_password() else None


class ResetPasswordConfirmSerializer(NewPasswordMixin, djoser.PasswordSerializer):
    """A new password for somebody who got the mail.

    Whose it is must be known before the password is looked at: it must not be like their name. djoser's own class
    does it the other way round, and reads `uid` and `token` as they were sent, numbers included.
    """

    uid = serializers.CharField()
    token = serializers.CharField()
    re_new_password = serializers.CharField(**PASSWORD)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Find the user and check the token, then validate the password."""
        # Lock the user before the check, so that only the first of several calls with one link succeeds.
        user = locked(User.objects.filter(pk=self.id_in(attrs["uid"]))).first()
        # The answer is the same for an unknown user, so that nobody learns which accounts exist.
        if user is None or not default_token_generator.check_token(user, attrs["token"]):
            message = "This link was used before or is too old. Ask for a new mail."
            raise serializers.ValidationError({"token": [message]})
        self.user = user
        return super().validate(attrs)

    def id_in(self, uid: str) -> int:
        """The id of a user in a link; 0, which no user has, if there is none."""
        try:
            return min(int(decode_uid(uid)), LARGEST_KEY)
        except (ValueError, OverflowError):
            return 0


class DeleteAccountSerializer(KnownFieldsMixin, djoser.UserDeleteSerializer):
    """The caller's own password, which confirms the deletion of an account."""

    current_password = serializers.CharField(**PASSWORD)


class ProfilePictureSerializer(KnownFieldsMixin, serializers.ModelSerializer):
    """The picture of a profile."""

    # Declared here because a ModelSerializer drops the scheme check of the model field.
    profile_picture = serializers.URLField(
        max_length=500, validators=[URLValidator(schemes=["http", "https"])], help_text="An http or https address."
    )

    class Meta:
        model = UserProfile
        fields = ("profile_picture", "cloudinary_public_id", "updated_at")
        read_only_fields = ("updated_at",)
        extra_kwargs: ClassVar = {
            "cloudinary_public_id": {"help_text": "What Cloudinary calls it; null when there is no such thing."}
        }
