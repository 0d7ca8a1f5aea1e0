"""Which URL leads to which room. The API paths also have a faster door: `stackyard.front`."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from stackyard import health

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]

handler400 = "stackyard.refusals.bad_request"
handler403 = "stackyard.refusals.access_denied"
handler404 = "stackyard.refusals.not_found"
handler500 = "stackyard.refusals.server_error"
