"""The addresses of the authorization server."""

from __future__ import annotations

from django.urls import path
from oauth2_provider.views import JwksInfoView, RevokeTokenView, UserInfoView

from ..providers import views as providers
from . import views

app_name = "oauth2_provider"
"""The name by which django-oauth-toolkit finds its own addresses."""

urlpatterns = [
    path("oauth/authorize", views.AuthorizationView.as_view(), name="authorize"),
    path("oauth/leave", views.leave, name="leave"),
    path("oauth/console/back", providers.back, name="console-back"),
    path("oauth/console/<str:name>", providers.start, name="console-start"),
    path("oauth/token", views.TokenView.as_view(), name="token"),
    path("oauth/revoke", RevokeTokenView.as_view(), name="revoke-token"),
    path("oauth/introspect", views.introspect, name="introspect"),
    path("oauth/userinfo", UserInfoView.as_view(), name="user-info"),
    path("oauth/jwks", JwksInfoView.as_view(), name="jwks-info"),
    path(".well-known/oauth-authorization-server", views.metadata, name="oauth-server-metadata"),
    path(".well-known/openid-configuration", views.metadata, name="oidc-connect-discovery-info"),
]
