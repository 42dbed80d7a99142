"""The admin of accounts: for superusers, who alone grant `is_staff`, `is_superuser` and groups."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework.authtoken.admin import TokenProxy
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.token_blacklist.admin import BlacklistedToken, OutstandingToken

from core.admin_base import ForSuperusers, bookings_link
from core.admin_forms import NewUserForm, UserForm, UserPasswordForm

# Tokens have no page of their own: their keys would stand in its addresses, its titles and the log.
for model in (User, Group, TokenProxy, OutstandingToken, BlacklistedToken):
    admin.site.unregister(model)


@admin.register(User)
class UserAdmin(ForSuperusers, auth_admin.UserAdmin):
    """Accounts."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = UserPasswordForm
    list_display = ("username", "email", "full_name", "is_active", "is_staff", "is_superuser", "bookings")
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email", "usable_password", "password1", "password2")}),
    )
    date_hierarchy = "date_joined"
    actions: ClassVar = ["void_tokens", "delete_selected"]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """What the system itself notes."""
        return ("last_login", "date_joined", "bookings") if obj is not None else ()

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:  # noqa: ANN401 - Django's own
        """What is asked; of a user who is there also the way to their bookings."""
        found = super().get_fieldsets(request, obj)
        return found if obj is None else (*found, ("Bookings", {"fields": ("bookings",)}))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """The form of a new password, which changes only together with what follows from it: tokens, the message."""
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    @admin.display(description="name", ordering="last_name")
    def full_name(self, user: User) -> str:
        """Both names."""
        return user.get_full_name()

    @admin.display(description="bookings")
    def bookings(self, user: User) -> str:
        """The way to the user's bookings."""
        return bookings_link("Show bookings", user=user.pk)

    @admin.action(permissions=["change"], description="Void the API tokens of selected users")
    def void_tokens(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """End each user's token; they sign in again for another one."""
        holders = list(queryset.filter(auth_token__isnull=False).order_by("username"))
        for user in holders:
            with transaction.atomic():
                Token.objects.filter(user=user).delete()
                self.log_change(request, user, "API token voided.")
        self.message_user(request, f"API tokens voided: {len(holders)}.", messages.SUCCESS)


@admin.register(Group)
class GroupAdmin(ForSuperusers, auth_admin.GroupAdmin):
    """Groups. Staff need none for what they do here."""
