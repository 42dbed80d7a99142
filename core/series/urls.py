"""The URLs of series, below `/api/`."""

from rest_framework.routers import SimpleRouter

from core.series.views import SeriesViewSet

router = SimpleRouter()
router.register("series", SeriesViewSet, basename="series")

urlpatterns = router.urls
