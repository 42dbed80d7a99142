"""The admin of accounts and groups, for superusers only, and of profiles, for all staff."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    AdminUserCreationForm,
    ReadOnlyPasswordHashWidget,
    UserChangeForm,
)
from django.contrib.auth.models import Group, User
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from rest_framework.authtoken.admin import TokenProxy
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.token_blacklist.admin import BlacklistedToken, OutstandingToken

from core.accounts.fields import AddressFormField
from core.accounts.identity import free_email, free_name
from core.accounts.passwords import UNREADABLE
from core.models import UserProfile
from core.staff.base import ForStaff, ForSuperusers
from core.staff.forms import SaveErrorForm
from core.staff.links import bookings_link
from core.staff.moments import minutes, named

# Tokens have no admin page: URLs, titles and the log would contain their keys.
for model in (User, Group, TokenProxy, OutstandingToken, BlacklistedToken):
    admin.site.unregister(model)


class IdentityForm(SaveErrorForm):
    """Keeps user names and e-mail addresses unique, in any case."""

    def clean_username(self) -> str:
        """The user name.

        Raises:
            ValidationError: When another user has the name.
        """
        return free_name(self.cleaned_data["username"], except_id=self.instance.pk)

    def clean_email(self) -> str:
        """The address.

        Raises:
            ValidationError: When another user has the address.
        """
        return free_email(self.cleaned_data.get("email") or "", except_id=self.instance.pk)


class NewUserForm(IdentityForm, AdminUserCreationForm):
    """A new account without any rights; the e-mail address and the names are optional."""

    class Meta(AdminUserCreationForm.Meta):
        fields = ("username", "email", "first_name", "last_name")
        field_classes: ClassVar = {**AdminUserCreationForm.Meta.field_classes, "email": AddressFormField}


class HashWidget(ReadOnlyPasswordHashWidget):
    """The summary of a password hash, also of one that cannot be read, where Django's own class fails."""

    def get_context(self, name: str, value: str | None, attrs: dict[str, Any] | None) -> dict[str, Any]:
        try:
            return super().get_context(name, value, attrs)
        except UNREADABLE:
            # Django has words for a hash of an unknown kind, and a button that sets a new password.
            return super().get_context(name, "unreadable", attrs)


class UserForm(IdentityForm, UserChangeForm):
    """An existing account."""

    class Meta(UserChangeForm.Meta):
        field_classes: ClassVar = {**UserChangeForm.Meta.field_classes, "email": AddressFormField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        if "password" in self.fields:
            self.fields["password"].widget = HashWidget()


class UserPasswordForm(AdminPasswordChangeForm):
    """Sets or removes a password, and voids the API token in both cases."""

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's own
        user = super().save(commit)
        Token.objects.filter(user_id=user.pk).delete()
        return user


@admin.register(User)
class UserAdmin(ForSuperusers, auth_admin.UserAdmin):
    """Accounts, for superusers; all staff may make an account, such as for somebody who calls."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = UserPasswordForm
    list_display = ("username", "email", "full_name", "is_active", "is_staff", "is_superuser", "bookings")
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (
                    *("username", "email", "first_name", "last_name"),
                    *("usable_password", "password1", "password2"),
                ),
            },
        ),
    )
    date_hierarchy = "date_joined"
    actions: ClassVar = ["void_tokens", "delete_selected"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """True for all staff: the form of a new account has no field that gives rights."""
        return request.user.is_active and request.user.is_staff

    @method_decorator(sensitive_post_parameters())
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form of a new account; Django's own view demands the permission to change accounts, too."""
        with transaction.atomic():
            return super(auth_admin.UserAdmin, self).add_view(request, form_url, extra_context)

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        """Leads whoever may not see accounts on to a booking for the new user."""
        if self.is_allowed(request) or {"_addanother", IS_POPUP_VAR} & set(request.POST):
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, f"The account {obj} was made. You can book for it here.", messages.SUCCESS)
        return HttpResponseRedirect(f"{reverse('admin:core_booking_add')}?user={obj.pk}")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """The fields that the system sets; none for a new account."""
        return ("last_login", "date_joined", "bookings") if obj is not None else ()

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:  # noqa: ANN401 - Django's own
        """The fieldsets; an existing account also has a link to its bookings."""
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if obj is None else (*fieldsets, ("Bookings", {"fields": ("bookings",)}))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Changes a password, voids the tokens and queues the e-mail about the change in one transaction."""
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    @admin.display(description="name", ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description="bookings")
    def bookings(self, user: User) -> str:
        return bookings_link("Show bookings", user__id__exact=user.pk)

    @admin.action(permissions=["change"], description="Void the API tokens of selected users")
    def void_tokens(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Deletes the users' tokens; a user gets another token by signing in."""
        holders = list(queryset.filter(auth_token__isnull=False).order_by("username"))
        for user in holders:
            with transaction.atomic():
                Token.objects.filter(user=user).delete()
                self.log_change(request, user, "API token voided.")
        self.message_user(request, f"API tokens voided: {len(holders)}.", messages.SUCCESS)


@admin.register(Group)
class GroupAdmin(ForSuperusers, auth_admin.GroupAdmin):
    """Groups; staff need no group for any page of this admin."""


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
        """The fields; an existing profile also has a link to its user's bookings."""
        names = ["owner" if obj else "user", "profile_picture", "cloudinary_public_id"]
        return [*names, "bookings", "changed"] if obj else names

    @admin.display(description="name", ordering="user__last_name")
    def full_name(self, profile: UserProfile) -> str:
        return profile.user.get_full_name()

    @admin.display(description="bookings")
    def bookings(self, profile: UserProfile) -> str:
        return bookings_link("Show bookings", user__id__exact=profile.user_id)

    @admin.display(description=named("last changed"), ordering="updated_at")
    def changed(self, profile: UserProfile) -> str:
        return minutes(profile.updated_at)

    def get_readonly_fields(self, request: HttpRequest, obj: UserProfile | None = None) -> tuple[str, ...]:
        """The user of an existing profile is read-only."""
        return ("owner", "bookings", "changed") if obj is not None else ()

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> forms.Field | None:  # noqa: ANN401
        """Completes a URL without a scheme to https."""
        if isinstance(db_field, models.URLField):
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)
