"""The admin of accounts, for superusers, who alone grant `is_staff`, `is_superuser` and groups; and of profiles."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, User
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework.authtoken.admin import TokenProxy
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.token_blacklist.admin import BlacklistedToken, OutstandingToken

from core.accounts.identity import free_email, free_name
from core.models import UserProfile
from core.staff.base import ForStaff, ForSuperusers, bookings_link, minutes
from core.staff.forms import RefusableForm

# Tokens have no page of their own: their keys would stand in its addresses, its titles and the log.
for model in (User, Group, TokenProxy, OutstandingToken, BlacklistedToken):
    admin.site.unregister(model)


class IdentityMixin(RefusableForm):
    """User names and e-mail addresses are unique whatever their case."""

    def clean_username(self) -> str:
        """The name, refused when another user has it.

        Raises:
            ValidationError: When it is taken.
        """
        return free_name(self.cleaned_data["username"], except_id=self.instance.pk)

    def clean_email(self) -> str:
        """The address in its stored form, refused when another user has it.

        Raises:
            ValidationError: When it is taken.
        """
        return free_email(self.cleaned_data.get("email") or "", except_id=self.instance.pk)


class NewUserForm(IdentityMixin, AdminUserCreationForm):
    """A new account; it may have no address."""

    class Meta(AdminUserCreationForm.Meta):
        fields = ("username", "email")


class UserForm(IdentityMixin, UserChangeForm):
    """An account."""


class UserPasswordForm(AdminPasswordChangeForm):
    """A new password, or none any more; the token goes with the old one in both cases."""

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's own
        """The user."""
        user = super().save(commit)
        Token.objects.filter(user_id=user.pk).delete()
        return user


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


@admin.register(UserProfile)
class UserProfileAdmin(ForStaff):
    """Profiles."""

    list_display = ("user", "full_name", "profile_picture", "bookings", "changed")
    list_filter = (("profile_picture", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    ordering = ("user__username",)
    search_fields = ("user__username", "user__first_name", "user__last_name", "user__email")
    autocomplete_fields = ("user",)

    def get_fields(self, request: HttpRequest, obj: UserProfile | None = None) -> list[str]:
        """The fields; a profile that is there leads to its user's bookings, too."""
        names = ["user", "profile_picture", "cloudinary_public_id"]
        return [*names, "bookings", "changed"] if obj else names

    @admin.display(description="name", ordering="user__last_name")
    def full_name(self, profile: UserProfile) -> str:
        """The user's name."""
        return profile.user.get_full_name()

    @admin.display(description="bookings")
    def bookings(self, profile: UserProfile) -> str:
        """The way to the user's bookings."""
        return bookings_link("Show bookings", user=profile.user_id)

    @admin.display(description="last changed (UTC)", ordering="updated_at")
    def changed(self, profile: UserProfile) -> str:
        """When it was changed last."""
        return minutes(profile.updated_at)

    def get_readonly_fields(self, request: HttpRequest, obj: UserProfile | None = None) -> tuple[str, ...]:
        """A profile is never handed over to another user."""
        return ("user", "bookings", "changed") if obj is not None else ()

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> forms.Field | None:  # noqa: ANN401
        """The field; an address typed without a scheme is taken for https."""
        if isinstance(db_field, models.URLField):
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)
