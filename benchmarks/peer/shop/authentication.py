"""The key check as people write it: one query a request."""

import hashlib

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from .models import ApiKey


class ApiKeyAuthentication(BaseAuthentication):
    """Reads X-API-Key."""

    def authenticate(self, request):
        """The key as user, or 401."""
        text = request.headers.get("X-API-Key")
        if not text:
            return None
        try:
            key = ApiKey.objects.get(digest=hashlib.sha256(text.encode()).hexdigest(), revoked=False)
        except ApiKey.DoesNotExist:
            raise AuthenticationFailed("Wrong API key.") from None
        return key, key

    def authenticate_header(self, request):
        """What a 401 carries."""
        return "X-API-Key"
