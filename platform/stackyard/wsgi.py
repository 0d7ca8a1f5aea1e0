"""The WSGI application: the front door for API paths, Django for everything else."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stackyard.settings")

application = get_wsgi_application()
