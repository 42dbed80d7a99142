"""The URLs of accounts, below `auth/`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from core.accounts import views

router = SimpleRouter()
router.register("users", views.AccountViewSet)

urlpatterns = [
    path("token/login/", views.SignInView.as_view(), name="login"),
    path("token/logout/", views.SignOutView.as_view(), name="logout"),
    path("jwt/create/", views.JWTSignInView.as_view(), name="jwt-create"),
    path("jwt/refresh/", views.JWTRefreshView.as_view(), name="jwt-refresh"),
    path("jwt/verify/", views.JWTVerifyView.as_view(), name="jwt-verify"),
    path("jwt/logout/", views.JWTSignOutView.as_view(), name="jwt-logout"),
    *router.urls,
]
