"""Which page shows which model; nothing else."""

from __future__ import annotations

from django.contrib import admin

from auth.models import ApiKey, Application, Provider, User
from endpoints.models import ApiGroup, Endpoint, HistoryEntry
from lambdas.models import Lambda
from stackyard.core.models import StoredFile, Variable, Workspace
from stackyard.runs.models import Run, Schedule
from stackyard.stacks.models import Function
from stackyard.tables.models import Table

from .applications import ApplicationAdmin
from .endpoints import EndpointAdmin
from .functions import FunctionAdmin
from .groups import ApiGroupAdmin
from .history import HistoryAdmin
from .keys import ApiKeyAdmin
from .lambdas import LambdaAdmin
from .login_providers import ProviderAdmin
from .people import PeopleAdmin
from .runs import RunAdmin
from .scheduled import ScheduleAdmin
from .stored_files import StoredFileAdmin
from .tables import TableAdmin
from .workspaces import VariableAdmin, WorkspaceAdmin

admin.site.register(Workspace, WorkspaceAdmin)
admin.site.register(Table, TableAdmin)
admin.site.register(ApiGroup, ApiGroupAdmin)
admin.site.register(Endpoint, EndpointAdmin)
admin.site.register(Function, FunctionAdmin)
admin.site.register(Lambda, LambdaAdmin)
admin.site.register(Variable, VariableAdmin)
admin.site.register(StoredFile, StoredFileAdmin)
admin.site.register(HistoryEntry, HistoryAdmin)
admin.site.register(Run, RunAdmin)
admin.site.register(Schedule, ScheduleAdmin)
admin.site.register(User, PeopleAdmin)
admin.site.register(ApiKey, ApiKeyAdmin)
admin.site.register(Application, ApplicationAdmin)
admin.site.register(Provider, ProviderAdmin)
