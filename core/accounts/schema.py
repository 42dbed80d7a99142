"""The OpenAPI description of signing in, accounts and the profile picture."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_serializer
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.serializers import TokenBlacklistSerializer

from core.accounts import views
from core.accounts.authentication import JWTAuthentication, SignInExpired, TokenAuthentication
from core.accounts.serializers import (
    DeleteAccountSerializer,
    ProfilePictureSerializer,
    RegistrationSerializer,
    UserSerializer,
)
from core.api.description import describe
from core.api.errors import Contradiction
from core.errors import EmailTaken, UsernameTaken

SIGN_IN, JWT_SIGN_IN = "Sign-in with a token", "Sign-in with JSON Web Tokens"
ACCOUNT, ACCOUNTS, PICTURE = "Own account", "Accounts", "Profile picture"


class TokenScheme(OpenApiAuthenticationExtension):
    """`Authorization: Token <key>`."""

    target_class = TokenAuthentication
    name = "Token"
    errors = (AuthenticationFailed, SignInExpired)

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        says = "`Token <key>`: the word, a space, and the `auth_token` of POST /api/auth/token/login/."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": says}


class JWTScheme(OpenApiAuthenticationExtension):
    """`Authorization: JWT <token>`."""

    target_class = JWTAuthentication
    name = "JWT"
    errors = (InvalidToken, "bad_authorization_header", "user_not_found", "user_inactive", "password_changed")

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        says = "`JWT <access>`: the word, a space, and the `access` token of POST /api/auth/jwt/create/."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": says}


def sends(name: str, value: Any) -> list[OpenApiExample]:  # noqa: ANN401 - any JSON
    """The example of a body."""
    return [OpenApiExample(name, value, request_only=True)]


def answers(description: str, value: Any, **properties: Any) -> dict[int, OpenApiResponse]:  # noqa: ANN401
    """A response whose body is an object of texts."""
    texts = {name: {"type": "string", **rules} for name, rules in properties.items()}
    shape = {"type": "object", "properties": texts, "required": list(texts)}
    return {200: OpenApiResponse(shape, description, [OpenApiExample("example", value)])}


# --- Signing in -------------------------------------------------------------------------------------------------------

BAD_TOKEN = (*TokenScheme.errors, *JWTScheme.errors)
PASSWORD = "correct-horse-9-battery"
CREDENTIALS = sends("alice", {"username": "alice", "password": PASSWORD})
TOKEN = "9f3c1a7e5b2d4860c1e9a7b3d5f20418e6c4a2b0"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoiNyJ9.c2lnbmF0dXJl"
PAIR = {"refresh": JWT, "access": JWT}

describe(
    views.SignInView,
    SIGN_IN,
    post=extend_schema(
        operation_id="signIn",
        summary="Sign in",
        description="Send the token as `Authorization: Token <key>` from then on. It is good until the sign-out or "
        "the next change of the password, or for as long as the operator says. The case of the user name does not "
        "matter. Wrong credentials are a 400.",
        responses=answers("Signed in.", {"auth_token": TOKEN}, auth_token={"pattern": "^[0-9a-f]{40}$"}),
        examples=CREDENTIALS,
    ),
)
describe(
    views.SignOutView,
    SIGN_IN,
    post=extend_schema(
        operation_id="signOut",
        summary="Sign out",
        description="The token is void, on every device.",
        request=None,
        responses={204: OpenApiResponse(description="Signed out.")},
    ),
)
describe(
    views.JWTSignInView,
    JWT_SIGN_IN,
    post=extend_schema(
        operation_id="createJwt",
        summary="Sign in",
        description="Send the `access` token as `Authorization: JWT <token>`, for half an hour; then `refresh` it. "
        "The case of the user name does not matter. Wrong credentials are a 401.",
        responses=answers("Signed in.", PAIR, refresh={}, access={}),
        examples=CREDENTIALS,
        extensions={"x-errors": ("no_active_account",)},
    ),
)
describe(
    views.JWTRefreshView,
    JWT_SIGN_IN,
    post=extend_schema(
        operation_id="refreshJwt",
        summary="Get new tokens",
        description="A new pair; the old refresh token is void. A refresh token is good for seven days.",
        responses=answers("The new pair.", PAIR, refresh={}, access={}),
        examples=sends("refresh", {"refresh": JWT}),
        extensions={"x-errors": (*BAD_TOKEN, "no_active_account")},
    ),
)
describe(
    views.JWTVerifyView,
    JWT_SIGN_IN,
    post=extend_schema(
        operation_id="verifyJwt",
        summary="Ask whether a token is good",
        description="An empty object when it is.",
        responses={
            200: OpenApiResponse(
                {"type": "object", "additionalProperties": False}, "It is.", [OpenApiExample("example", {})]
            )
        },
        examples=sends("access", {"token": JWT}),
        extensions={"x-errors": BAD_TOKEN},
    ),
)
describe(
    views.JWTSignOutView,
    JWT_SIGN_IN,
    post=extend_schema(
        operation_id="voidJwt",
        summary="Sign out",
        description="The refresh token is void; the access token ends by itself.",
        request=TokenBlacklistSerializer,
        responses={204: OpenApiResponse(description="Void.")},
        examples=sends("refresh", {"refresh": JWT}),
        extensions={"x-errors": (InvalidToken,)},
    ),
)


# --- Accounts ---------------------------------------------------------------------------------------------------------

USER = {"id": 7, "username": "alice", "email": "alice@example.org", "first_name": "Alice", "last_name": "Archer"}
SENT = {name: value for name, value in USER.items() if name != "id"} | {"password": PASSWORD}
ACCOUNT_SHOWN = {**USER, "is_staff": False, "is_active": True, "profile_picture": None}
extend_schema_serializer(examples=[OpenApiExample("example", ACCOUNT_SHOWN, response_only=True)])(UserSerializer)
extend_schema_serializer(examples=[OpenApiExample("example", USER, response_only=True)])(RegistrationSerializer)

MINE = {200: OpenApiResponse(UserSerializer, "The account.")}
RENAMED = sends("renamed", {"first_name": "Alicia"})
TAKEN = {"x-errors": (UsernameTaken, EmailTaken, Contradiction)}
SURE: dict[str, Any] = {"request": DeleteAccountSerializer, "examples": sends("sure", {"current_password": PASSWORD})}
OWN_OR_SUPERUSER = "\n\nFor whose account it is, and superusers."

describe(
    views.AccountViewSet,
    ACCOUNTS,
    create=extend_schema(
        tags=[ACCOUNT],
        operation_id="register",
        summary="Register",
        description="User names and addresses are unique whatever their case. Passwords must be hard to guess.",
        examples=sends("alice", SENT),
        extensions=TAKEN,
    ),
    me=[
        extend_schema(
            methods=["GET"],
            tags=[ACCOUNT],
            operation_id="getMe",
            summary="Show one's own account",
            description="Never limited.",
            responses=MINE,
        ),
        extend_schema(
            methods=["PUT"],
            tags=[ACCOUNT],
            operation_id="replaceMe",
            summary="Change one's own account",
            description="What is not sent stays, as with PATCH; `is_staff` and `is_active` are read-only.",
            responses=MINE,
            extensions=TAKEN,
            examples=RENAMED,
        ),
        extend_schema(
            methods=["PATCH"],
            tags=[ACCOUNT],
            operation_id="changeMe",
            summary="Change what is named of one's own account",
            description="What is not sent stays.",
            responses=MINE,
            extensions=TAKEN,
            examples=RENAMED,
        ),
        extend_schema(
            methods=["DELETE"],
            tags=[ACCOUNT],
            operation_id="deleteMe",
            summary="Delete one's own account",
            description="With all its bookings, for good. Needs the password; guesses are limited as sign-ins are.",
            **SURE,
        ),
    ],
    set_password=extend_schema(
        tags=[ACCOUNT],
        operation_id="setPassword",
        summary="Change one's password",
        description="All tokens are void from then on: sign in again. Guesses are limited as sign-ins are.",
        responses={204: OpenApiResponse(description="Changed.")},
        examples=sends("another", {"current_password": PASSWORD, "new_password": "another-horse-9-battery"}),
    ),
    reset_password=extend_schema(
        tags=[ACCOUNT],
        operation_id="resetPassword",
        summary="Ask for a mail that resets the password",
        description="Always a 204, whether or not the address is known.",
        responses={204: OpenApiResponse(description="If the address is known, a mail is on its way.")},
        examples=sends("alice", {"email": "alice@example.org"}),
    ),
    reset_password_confirm=extend_schema(
        tags=[ACCOUNT],
        operation_id="confirmPasswordReset",
        summary="Set a new password with what the mail brought",
        description="`uid` and `token` are in the link of the mail. All tokens and calendar feeds end.",
        responses={204: OpenApiResponse(description="Changed.")},
        examples=sends(
            "alice",
            {
                "uid": "Nw",
                "token": "c5h2x1-0123456789abcdef0123456789abcdef",
                "new_password": PASSWORD,
                "re_new_password": PASSWORD,
            },
        ),
    ),
    list=extend_schema(
        operation_id="listUsers",
        summary="List all accounts",
        description="Ordered by id; in pages where `limit` asks for it.\n\nFor superusers.",
    ),
    retrieve=extend_schema(
        operation_id="getUser",
        summary="Show an account",
        description="As `me`, by id." + OWN_OR_SUPERUSER,
    ),
    update=extend_schema(
        operation_id="replaceUser",
        summary="Change an account",
        description="What is not sent stays, as with PATCH." + OWN_OR_SUPERUSER,
        extensions=TAKEN,
        examples=RENAMED,
    ),
    partial_update=extend_schema(
        operation_id="changeUser",
        summary="Change what is named of an account",
        description="What is not sent stays." + OWN_OR_SUPERUSER,
        extensions=TAKEN,
        examples=RENAMED,
    ),
    destroy=extend_schema(
        operation_id="deleteUser",
        summary="Delete an account",
        description="With all its bookings. Needs the caller's own password; guesses are limited as sign-ins are."
        + OWN_OR_SUPERUSER,
        **SURE,
    ),
)


# --- The picture ------------------------------------------------------------------------------------------------------

PICTURE_SENT = {"profile_picture": "https://images.example.org/alice.png", "cloudinary_public_id": "people/alice"}


@extend_schema_serializer(component_name="ProfilePicture")
class WholePictureSerializer(ProfilePictureSerializer):
    """A profile's picture."""

    # PATCH requires the picture as PUT does; drf-spectacular would make every field of a PATCH optional.
    partial = property(lambda self: False, lambda self, partial: None)


PICTURE_SHOWN = {**PICTURE_SENT, "updated_at": "2030-01-24T08:15:30.123456Z"}
extend_schema_serializer(examples=[OpenApiExample("example", PICTURE_SHOWN, response_only=True)])(
    ProfilePictureSerializer
)

describe(
    views.ProfilePictureView,
    PICTURE,
    shown_as=ProfilePictureSerializer,
    put=extend_schema(
        operation_id="replacePicture",
        summary="Set one's picture",
        description="A Cloudinary id that is not sent is forgotten.",
        request=WholePictureSerializer,
        examples=sends("a picture", PICTURE_SENT),
    ),
    patch=extend_schema(
        operation_id="changePicture",
        summary="Set one's picture, and keep its Cloudinary id",
        description="A Cloudinary id that is not sent stays; `profile_picture` is needed.",
        request=WholePictureSerializer,
        examples=sends("a picture", PICTURE_SENT),
    ),
)
describe(
    views.ProfilePictureDeleteView,
    PICTURE,
    delete=extend_schema(
        operation_id="deletePicture",
        summary="Remove one's picture",
        description="And its Cloudinary id.",
        responses=answers("Removed.", {"message": "The profile picture was removed."}, message={}),
    ),
)
