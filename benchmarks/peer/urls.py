"""One router, one view set."""

from rest_framework.routers import SimpleRouter

from benchmarks.peer.shop.views import CustomerViewSet

router = SimpleRouter()
router.register("customers", CustomerViewSet)
urlpatterns = router.urls
