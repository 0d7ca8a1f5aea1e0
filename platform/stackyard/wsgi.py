"""The WSGI application: the front door for API paths, Django for everything else."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stackyard.settings")

_django = get_wsgi_application()

# Only now are the apps loaded that these need.
from django.conf import settings  # noqa: E402

from endpoints.history import history  # noqa: E402
from stackyard.front import Front  # noqa: E402

if settings.HISTORY_THREAD:
    history.start()
application = Front(_django)
