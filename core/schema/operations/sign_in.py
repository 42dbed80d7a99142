"""Both ways to sign in."""

from rest_framework_simplejwt import serializers as jwt

from core.accounts import serializers as accounts
from core.schema import examples, shapes
from core.schema.operation import EVERYBODY, JWT_SIGN_IN, SIGN_IN, THOSE_SIGNED_IN, Answer, Body, Operation
from core.schema.problems import BAD_TOKEN, SIGNED_IN

VOID = {"refresh": examples.JWT}
PAIR = {"refresh": examples.JWT, "access": examples.JWT}
CREDENTIALS = {"username": "alice", "password": examples.PASSWORD}

SIGNING_IN = {
    "POST /api/auth/token/login/": Operation(
        "signIn",
        SIGN_IN,
        "Sign in",
        "Send the token as `Authorization: Token <key>` from then on. It is good until the sign-out or the next "
        "change of the password, or for as long as the operator says. Wrong credentials are a 400.",
        EVERYBODY,
        {200: Answer("Signed in.", shapes.TOKEN, {"auth_token": examples.TOKEN})},
        (),
        Body(accounts.SignInSerializer, {"alice": CREDENTIALS}),
        anonymous=True,
    ),
    "POST /api/auth/token/logout/": Operation(
        "signOut",
        SIGN_IN,
        "Sign out",
        "The token is void, on every device.",
        THOSE_SIGNED_IN,
        {204: Answer("Signed out.")},
        SIGNED_IN,
    ),
    "POST /api/auth/jwt/create/": Operation(
        "createJwt",
        JWT_SIGN_IN,
        "Sign in",
        "Send the `access` token as `Authorization: JWT <token>`, for half an hour; then `refresh` it. Wrong "
        "credentials are a 401.",
        EVERYBODY,
        {200: Answer("Signed in.", shapes.PAIR, PAIR)},
        ("no_active_account",),
        Body(accounts.JWTSignInSerializer, {"alice": CREDENTIALS}),
        anonymous=True,
    ),
    "POST /api/auth/jwt/refresh/": Operation(
        "refreshJwt",
        JWT_SIGN_IN,
        "Get new tokens",
        "A new pair; the old refresh token is void. A refresh token is good for seven days.",
        EVERYBODY,
        {200: Answer("The new pair.", shapes.PAIR, PAIR)},
        ("token_not_valid", *BAD_TOKEN, "no_active_account"),
        Body(shapes.RefreshSerializer, {"refresh": VOID}),
        anonymous=True,
    ),
    "POST /api/auth/jwt/verify/": Operation(
        "verifyJwt",
        JWT_SIGN_IN,
        "Ask whether a token is good",
        "An empty object when it is.",
        EVERYBODY,
        {200: Answer("It is.", {"type": "object", "additionalProperties": False}, {})},
        BAD_TOKEN,
        Body(accounts.VerifySerializer, {"access": {"token": examples.JWT}}),
        anonymous=True,
    ),
    "POST /api/auth/jwt/logout/": Operation(
        "voidJwt",
        JWT_SIGN_IN,
        "Sign out",
        "The refresh token is void; the access token ends by itself.",
        EVERYBODY,
        {204: Answer("Void.")},
        ("token_not_valid",),
        Body(jwt.TokenBlacklistSerializer, {"refresh": VOID}),
        anonymous=True,
    ),
}
