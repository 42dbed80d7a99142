"""Resources, bookings and the profile picture over HTTP: parse, call one verb, render."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve
from django.utils import timezone
from rest_framework import mixins, viewsets
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from core import lifecycle
from core.fields import MomentField
from core.intervals import Interval
from core.models import Booking, Resource, UserProfile
from core.permissions import IsAdminOrReadOnly, IsOwnerOrStaff
from core.rows import RowListMixin
from core.serializers import BookingSerializer, ProfilePictureSerializer, ResourceSerializer


class RootView(APIView):
    """The collections of this API."""

    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        """Name them."""
        return Response(
            {
                "resources": reverse("resource-list", request=request),
                "bookings": reverse("booking-list", request=request),
                "users": reverse("user-list", request=request),
                "me": reverse("user-me", request=request),
                "token_login": reverse("login", request=request),
                "profile_picture": reverse("profile-picture", request=request),
            }
        )


class NothingHereView(APIView):
    """The rest of `/api/`: a flat 404, or the way to the same address with its slash."""

    permission_classes = (AllowAny,)
    authentication_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Refuse every method alike."""
        super().initial(request, *args, **kwargs)
        raise NotFound("There is nothing here. Check the address; every path ends in a slash.")

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Send a reader whose address only lacks its slash there; a body would be lost on that way."""
        if request.method in ("GET", "HEAD") and not request.path.endswith("/"):
            try:
                found = resolve(f"{request.path_info}/")
            except Resolver404:
                found = None
            if found and found.url_name != "nothing-here":
                return self.redirect(request.get_full_path(force_append_slash=True))
        return super().dispatch(request, *args, **kwargs)

    def redirect(self, address: str) -> HttpResponsePermanentRedirect:
        """A permanent redirection."""
        return HttpResponsePermanentRedirect(address)


class ResourceViewSet(RowListMixin, viewsets.ModelViewSet):
    """What can be booked. Anybody may read, staff may write."""

    serializer_class = ResourceSerializer
    permission_classes = (IsAdminOrReadOnly,)
    queryset = Resource.objects.all()

    def get_queryset(self) -> QuerySet[Resource]:
        """Resources with their availability in the window asked for."""
        return Resource.objects.with_availability(window_asked_for(self.request))

    def perform_create(self, serializer: BaseSerializer) -> None:
        """Store it, and read it back with its availability."""
        self.show_stored(serializer)

    def perform_update(self, serializer: BaseSerializer) -> None:
        """Store it, and read it back with its availability."""
        self.show_stored(serializer)

    def show_stored(self, serializer: BaseSerializer) -> None:
        """Store what was sent, and make the answer from what is stored."""
        serializer.instance = self.get_queryset().get(pk=serializer.save().pk)

    def get_success_headers(self, data: dict[str, Any]) -> dict[str, str]:
        """Where the new resource is."""
        return {"Location": reverse("resource-detail", args=[data["id"]], request=self.request)}

    def perform_destroy(self, instance: Resource) -> None:
        """Delete it, unless it has bookings."""
        lifecycle.delete_resource(instance)


class BookingViewSet(RowListMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Bookings: one's own, and for staff all of them."""

    serializer_class = BookingSerializer
    permission_classes = (IsOwnerOrStaff,)
    queryset = Booking.objects.all()

    def get_queryset(self) -> QuerySet[Booking]:
        """In a list what the caller may see; a single one is found first, and refused by its permission."""
        if self.action == "list":
            return Booking.objects.visible_to(self.request.user)
        return Booking.objects.in_full()

    def create(self, request: Request) -> Response:
        """Book."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        wanted = dict(serializer.validated_data)
        user_id = wanted.pop("user_id", None)
        booking = lifecycle.book(
            user=lifecycle.find_user(user_id) if user_id else request.user,
            by=request.user,
            now=timezone.now(),
            **wanted,
        )
        location = reverse("booking-detail", args=[booking.pk], request=request)
        return Response(self.get_serializer(booking).data, status=201, headers={"Location": location})

    def update(self, request: Request, pk: str, *, partial: bool = False) -> Response:
        """Change it."""
        booking = self.get_object()
        serializer = self.get_serializer(booking, data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        changed = lifecycle.change(booking, changes=serializer.changes, by=request.user, now=timezone.now())
        return Response(self.get_serializer(changed).data)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is named."""
        return self.update(request, pk, partial=True)

    def destroy(self, request: Request, pk: str) -> Response:
        """Cancel it; the row stays."""
        lifecycle.cancel(self.get_object(), by=request.user, now=timezone.now())
        return Response(status=204)


class ProfilePictureView(APIView):
    """One's own picture."""

    serializer_class = ProfilePictureSerializer

    def put(self, request: Request) -> Response:
        """Set it, and with it the Cloudinary id, which is none where none is sent."""
        return self.store(request, forget=True)

    def patch(self, request: Request) -> Response:
        """Set it; a Cloudinary id that is not sent stays."""
        return self.store(request, forget=False)

    def store(self, request: Request, *, forget: bool) -> Response:
        """Write what was sent."""
        profile, _ = UserProfile.objects.get_or_create(user=request.user)
        serializer = ProfilePictureSerializer(profile, data=request.data)
        serializer.is_valid(raise_exception=True)
        cleared = {"cloudinary_public_id": None} if forget and "cloudinary_public_id" not in request.data else {}
        serializer.save(**cleared)
        return Response(serializer.data)


class ProfilePictureDeleteView(APIView):
    """The way to be without a picture."""

    def delete(self, request: Request) -> Response:
        """Clear the picture and its Cloudinary id."""
        profile, _ = UserProfile.objects.get_or_create(user=request.user)
        profile.profile_picture = profile.cloudinary_public_id = None
        profile.save(update_fields=["profile_picture", "cloudinary_public_id", "updated_at"])
        return Response({"message": "The profile picture was removed."})


def window_asked_for(request: Request) -> Interval:
    """The window of `?start=…&end=…`, or the default one from now on.

    Raises:
        ValidationError: When only one of the two is there, one is no moment, or the end is not after the start.
    """
    sent = {name: request.query_params[name] for name in ("start", "end") if name in request.query_params}
    if not sent or request.method not in SAFE_METHODS:
        now = timezone.now()
        return Interval(now, now + timedelta(minutes=settings.AVAILABILITY_WINDOW_MINUTES))
    if len(sent) == 1:
        missing = "end" if "start" in sent else "start"
        raise ValidationError({missing: ["start and end are needed both, or neither."]})
    found, wrong = {}, {}
    for name, value in sent.items():
        try:
            found[name] = MomentField().run_validation(value)
        except ValidationError as error:
            wrong[name] = error.detail
    if wrong:
        raise ValidationError(wrong)
    if found["start"] >= found["end"]:
        raise ValidationError({"end": ["The end must be after the start."]})
    return Interval(found["start"], found["end"])
