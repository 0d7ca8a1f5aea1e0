"""The admin site, titled as the product."""

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig


class ConsoleSite(AdminSite):
    """The Django admin under our name."""

    site_header = "Stackyard"
    site_title = "Stackyard"
    index_title = "Console"


class ConsoleAdminConfig(AdminConfig):
    """Makes ConsoleSite the default admin site."""

    default_site = "stackyard.console.site.ConsoleSite"
