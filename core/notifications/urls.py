"""The URLs of notifications: of the API, and of the pages behind the links in messages."""

from django.urls import path

from core.notifications import views

urlpatterns = [
    path("profile/preferences/", views.PreferencesView.as_view(), name="preferences"),
    path("profile/confirm-email/", views.ConfirmationView.as_view(), name="confirmation"),
]

page_urls = [
    path("unsubscribe/<str:token>/", views.UnsubscribeView.as_view(), name="unsubscribe"),
    path("confirm/<str:token>/", views.ConfirmEmailView.as_view(), name="confirm-email"),
    path("not-me/<str:token>/", views.NotMeView.as_view(), name="not-me"),
]
