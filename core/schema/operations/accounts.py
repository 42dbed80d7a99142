"""One's own account, and everybody's."""

from core.accounts import serializers as accounts
from core.schema import examples, shapes
from core.schema.operation import ACCOUNT, ACCOUNTS, EVERYBODY, LIST, THOSE_SIGNED_IN, Answer, Body, Operation
from core.schema.problems import SIGNED_IN

ACCOUNT_BODY = {"renamed": {"first_name": "Alicia"}}
SHOWN_ACCOUNT = Answer("The account.", accounts.UserSerializer, examples.ACCOUNT)
TAKEN = ("username_taken", "email_taken", "conflict")

OWN_ACCOUNT = {
    "POST /api/auth/users/": Operation(
        "register",
        ACCOUNT,
        "Register",
        "User names and addresses are unique whatever their case. Passwords must be hard to guess.",
        EVERYBODY,
        {201: Answer("Registered.", accounts.RegistrationSerializer, examples.USER, headers=("Location",))},
        TAKEN,
        Body(accounts.RegistrationSerializer, {"alice": examples.REGISTRATION}),
        anonymous=True,
    ),
    "GET /api/auth/users/me/": Operation(
        "getMe",
        ACCOUNT,
        "Show one's own account",
        "Never limited.",
        THOSE_SIGNED_IN,
        {200: SHOWN_ACCOUNT},
        SIGNED_IN,
        limited=False,
    ),
    "PUT /api/auth/users/me/": Operation(
        "replaceMe",
        ACCOUNT,
        "Change one's own account",
        "What is not sent stays, as with PATCH; `is_staff` and `is_active` are read-only.",
        THOSE_SIGNED_IN,
        {200: SHOWN_ACCOUNT},
        (*SIGNED_IN, *TAKEN),
        Body(accounts.UserSerializer, ACCOUNT_BODY),
    ),
    "PATCH /api/auth/users/me/": Operation(
        "changeMe",
        ACCOUNT,
        "Change what is named of one's own account",
        "What is not sent stays.",
        THOSE_SIGNED_IN,
        {200: SHOWN_ACCOUNT},
        (*SIGNED_IN, *TAKEN),
        Body(accounts.UserSerializer, ACCOUNT_BODY, partial=True),
    ),
    "DELETE /api/auth/users/me/": Operation(
        "deleteMe",
        ACCOUNT,
        "Delete one's own account",
        "With all its bookings, for good. Needs the password; guesses are limited as sign-ins are.",
        THOSE_SIGNED_IN,
        {204: Answer("Deleted.")},
        SIGNED_IN,
        Body(accounts.DeleteAccountSerializer, {"sure": {"current_password": examples.PASSWORD}}),
    ),
    "POST /api/auth/users/set_password/": Operation(
        "setPassword",
        ACCOUNT,
        "Change one's password",
        "All tokens are void from then on: sign in again. Guesses are limited as sign-ins are.",
        THOSE_SIGNED_IN,
        {204: Answer("Changed.")},
        SIGNED_IN,
        Body(
            accounts.SetPasswordSerializer,
            {"another": {"current_password": examples.PASSWORD, "new_password": "another-horse-9-battery"}},
        ),
    ),
    "POST /api/auth/users/reset_password/": Operation(
        "resetPassword",
        ACCOUNT,
        "Ask for a mail that resets the password",
        "Always a 204, whether or not the address is known.",
        EVERYBODY,
        {204: Answer("If the address is known, a mail is on its way.")},
        (),
        Body(shapes.ResetPasswordSerializer, {"alice": {"email": "alice@example.org"}}),
        anonymous=True,
    ),
    "POST /api/auth/users/reset_password_confirm/": Operation(
        "confirmPasswordReset",
        ACCOUNT,
        "Set a new password with what the mail brought",
        "`uid` and `token` are in the link of the mail.",
        EVERYBODY,
        {204: Answer("Changed.")},
        (),
        Body(
            accounts.ResetPasswordConfirmSerializer,
            {
                "alice": {
                    "uid": "Nw",
                    "token": "c5h2x1-0123456789abcdef0123456789abcdef",
                    "new_password": examples.PASSWORD,
                    "re_new_password": examples.PASSWORD,
                }
            },
        ),
        anonymous=True,
    ),
}

ALL_ACCOUNTS = {
    "GET /api/auth/users/": Operation(
        "listUsers",
        ACCOUNTS,
        "List all accounts",
        "Ordered by id; in pages where `limit` asks for it.",
        "superusers",
        {
            200: Answer(
                "The accounts.", accounts.UserSerializer, examples.ACCOUNT, headers=("Link", "X-Total-Count"), many=True
            )
        },
        (*SIGNED_IN, "permission_denied"),
        parameters=LIST,
    ),
    "GET /api/auth/users/{id}/": Operation(
        "getUser",
        ACCOUNTS,
        "Show an account",
        "As `me`, by id.",
        "whose account it is, and superusers",
        {200: SHOWN_ACCOUNT},
        (*SIGNED_IN, "permission_denied", "not_found"),
        parameters=("user_id",),
    ),
    "PUT /api/auth/users/{id}/": Operation(
        "replaceUser",
        ACCOUNTS,
        "Change an account",
        "What is not sent stays, as with PATCH.",
        "whose account it is, and superusers",
        {200: SHOWN_ACCOUNT},
        (*SIGNED_IN, *TAKEN, "permission_denied", "not_found"),
        Body(accounts.UserSerializer, ACCOUNT_BODY),
        parameters=("user_id",),
    ),
    "PATCH /api/auth/users/{id}/": Operation(
        "changeUser",
        ACCOUNTS,
        "Change what is named of an account",
        "What is not sent stays.",
        "whose account it is, and superusers",
        {200: SHOWN_ACCOUNT},
        (*SIGNED_IN, *TAKEN, "permission_denied", "not_found"),
        Body(accounts.UserSerializer, ACCOUNT_BODY, partial=True),
        parameters=("user_id",),
    ),
    "DELETE /api/auth/users/{id}/": Operation(
        "deleteUser",
        ACCOUNTS,
        "Delete an account",
        "With all its bookings. Needs the caller's own password; guesses are limited as sign-ins are.",
        "whose account it is, and superusers",
        {204: Answer("Deleted.")},
        (*SIGNED_IN, "permission_denied", "not_found"),
        Body(accounts.DeleteAccountSerializer, {"sure": {"current_password": examples.PASSWORD}}),
        parameters=("user_id",),
    ),
}
