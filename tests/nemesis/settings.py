"""The product's settings with the nemesis' app: what its workers, schedulers and clients run with."""

from stackyard.settings import *  # noqa: F403
from stackyard.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "tests.nemesis.apps.NemesisConfig"]
