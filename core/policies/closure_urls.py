"""The URLs of closures, below `/api/`."""

from rest_framework.routers import SimpleRouter

from core.policies.closure_views import ClosureViewSet

router = SimpleRouter()
router.register("closures", ClosureViewSet, basename="closure")

urlpatterns = router.urls
