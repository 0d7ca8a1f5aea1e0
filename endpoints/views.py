"""The one view of every endpoint: Django REST framework's APIView with a dispatch of its own.

The policies that DRF would look up for each request (who, how often, which inputs) stand ready in the
endpoint's plan; the answer is bytes already. What DRF gives stays: its Request, and the view as a class to build on.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from .calls import EndpointCall


class EndpointView(APIView):
    """Serves `/api:<canonical>/…` and `/api/<mount>/…` for every method."""

    # The groups describe themselves at /apispec:<canonical>.
    schema = None
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    parser_classes = ()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """One call; whatever happens ends in an answer of the contract's shape."""
        self.request = Request(request, parsers=())
        call = EndpointCall(request.META, getattr(request, "raw_path", None))
        answer = call.answer()
        response = HttpResponse(answer.body, status=answer.status)
        del response.headers["Content-Type"]
        headers = response.headers
        for name, value in answer.headers:
            # What comes twice (Vary, Link) becomes one list, which means the same (RFC 9110 §5.3).
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return response
