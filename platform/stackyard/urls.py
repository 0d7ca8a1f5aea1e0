"""Which URL leads to which room. The API paths also have a faster door: `stackyard.front`."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from endpoints import docs
from endpoints.views import EndpointView
from lambdas import views as lambdas
from stackyard import health
from stackyard.console.words import words
from stackyard.core.vault.serving import serve as vault
from stackyard.metrics import metrics

_CANONICAL = r"(?P<canonical>[A-Za-z0-9_-]{1,63})/?"

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("language/", set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("words/<slug:language>/<slug:digest>.js", words, name="console_words"),
    re_path(r"^api(?:/|:(?!meta(?:/|\Z)))", EndpointView.as_view()),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics),
    path("", include("auth.oauth.urls")),
    path("", include("stackyard.meta")),
    re_path(rf"^apispec:{_CANONICAL}$", docs.apispec),
    re_path(rf"^apidoc:{_CANONICAL}$", docs.apidoc),
    path("apidoc/oauth2-redirect", docs.oauth_redirect),
    re_path(r"^hook:(?P<token>[A-Za-z0-9_-]{8,64})$", lambdas.hook),
    re_path(r"^vault/(?P<key>[A-Za-z0-9_-]{24})/(?P<name>[^/]+)$", vault),
    re_path(r"^run:(?P<run_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$", lambdas.run),
]

handler400 = "stackyard.refusals.bad_request"
handler403 = "stackyard.refusals.access_denied"
handler404 = "stackyard.refusals.not_found"
handler500 = "stackyard.refusals.server_error"
