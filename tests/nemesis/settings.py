"""The product's settings with the nemesis' app: what its workers, schedulers and clients run with."""

import os

from stackyard.settings import *  # noqa: F403
from stackyard.settings import INSTALLED_APPS as _APPS

CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = int(os.environ.get("NEMESIS_PATIENCE", "30"))
_OURS = {"stackyard.console.site.ConsoleAdminConfig": "tests.nemesis.apps.Console"}
INSTALLED_APPS = [*(_OURS.get(app, app) for app in _APPS), "tests.nemesis.apps.NemesisConfig"]
