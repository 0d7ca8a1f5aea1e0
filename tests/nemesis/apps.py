"""The app that puts the nemesis' kind of run into every process; in a sabotaged build it also takes the recovery out."""

import os

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig


class NemesisConfig(AppConfig):
    """Registers the run kind."""

    name = "tests.nemesis"
    label = "nemesis"

    def ready(self) -> None:
        """Join the family; with NEMESIS_PUBLISH_ONLY=1 nothing is ever sent twice or taken back."""
        from stackyard.runs import dispatch

        from . import clock, kind, step  # noqa: F401

        clock.install()

        if os.environ.get("NEMESIS_PUBLISH_ONLY") == "1":
            dispatch.sweep = dispatch.reap = publish_only


class Console(SimpleAdminConfig):
    """The console without its pages, which nobody opens here: a fifth of what a process has to load."""

    default_site = "stackyard.console.site.ConsoleSite"


def publish_only() -> int:
    """What the sweep and the reaper do in the build that must fail the check."""
    return 0
