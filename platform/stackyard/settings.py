"""Every setting; the only module that reads the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("STACKYARD_HOME", ROOT / "var")).resolve()
HOME.mkdir(parents=True, exist_ok=True)

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8000"))
PUBLIC_URL = os.environ.get(
    "PUBLIC_URL", f"http://{'127.0.0.1' if HOST == '0.0.0.0' else HOST}:{PORT}"
).rstrip("/")
ALLOWED_HOSTS = [h for h in os.environ.get("ALLOWED_HOSTS", "").split(",") if h] or [
    "localhost",
    "127.0.0.1",
    "[::1]",
    urlsplit(PUBLIC_URL).hostname or HOST,
]
TRUSTED_PROXIES = [a for a in os.environ.get("TRUSTED_PROXIES", "").split(",") if a]
OWNER_EMAIL = os.environ.get("STACKYARD_OWNER_EMAIL", "owner@example.com")
OWNER_PASSWORD = os.environ.get("STACKYARD_OWNER_PASSWORD", "")
REDIS_URL = os.environ.get("REDIS_URL", "")
# Networks beyond the public internet that stacks and lambdas may call, such as 10.20.0.0/16; and the only ports they
# may use, such as 80,443,8000-8999 (else core/outbound/addresses.py says which).
OUTBOUND_ALLOW = [n.strip() for n in os.environ.get("STACKYARD_OUTBOUND_ALLOW", "").split(",") if n.strip()]
OUTBOUND_PORTS = os.environ.get("STACKYARD_OUTBOUND_PORTS", "")
# Which launcher runs lambdas; empty takes the best that runs here.
LAMBDA_LAUNCHER = os.environ.get("STACKYARD_LAMBDA_LAUNCHER", "")
# What docker and podman need to find their engine; nothing else of the environment reaches them.
CONTAINER_ENVIRONMENT = {
    name: os.environ[name]
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST", "HOME", "PATH", "XDG_RUNTIME_DIR")
    if name in os.environ
}
WEB_PROCESSES = int(os.environ.get("WEB_PROCESSES", str(min(2, os.cpu_count() or 1))))
CALLS_PER_SECOND = int(os.environ.get("STACKYARD_CALLS_PER_SECOND", "100"))
# Whether web processes write the request history themselves; tests write it when they ask for it.
HISTORY_THREAD = os.environ.get("STACKYARD_HISTORY_THREAD", "1") == "1"
# How long and how much of it is kept; the number of entries is a limit of core/limits.py.
HISTORY_DAYS = float(os.environ.get("STACKYARD_HISTORY_DAYS", "30"))
FILES_BYTES = int(os.environ.get("STACKYARD_FILES_BYTES", "10000000000"))
HISTORY_BYTES = int(os.environ.get("STACKYARD_HISTORY_BYTES", "2000000000"))
HISTORY_ENTRIES = int(os.environ.get("STACKYARD_HISTORY_ENTRIES", "100000"))
# How much of the audit log is kept: the newest so many entries, none older than so many days.
AUDIT_DAYS = float(os.environ.get("STACKYARD_AUDIT_DAYS", "365"))
AUDIT_ENTRIES = int(os.environ.get("STACKYARD_AUDIT_ENTRIES", "100000"))
# Who may read /metrics from elsewhere than this machine: whoever sends it as a bearer.
METRICS_TOKEN = os.environ.get("STACKYARD_METRICS_TOKEN", "")
# Where traces are sent, as OpenTelemetry's own setting has it (core/tracing.py); nowhere when empty.
TRACES_ENDPOINT = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
# What the check warns about: all, names, off (endpoints/advice.py).
ADVICE = os.environ.get("STACKYARD_ADVICE", "all")
HISTORY_ENABLED = os.environ.get("STACKYARD_HISTORY", "on") != "off"
# Where npm packages of lambdas come from when one is published, and how to get there.
PACKAGE_ENVIRONMENT = {
    name: os.environ[name]
    for name in (
        *("NPM_CONFIG_REGISTRY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
        *("DENO_CERT", "DENO_TLS_CA_STORE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"),
    )
    if name in os.environ
}

# What Deno needs to build the console's scripts.
BUILD_ENVIRONMENT = {
    name: os.environ[name]
    for name in ("PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME", "TMPDIR")
    if name in os.environ
}

DEBUG = os.environ.get("STACKYARD_DEBUG") == "1"


def _secret_key() -> str:
    """The key kept in the home, made on first use with mode 0600 (no model or app may be loaded here)."""
    path = HOME / "keys" / "django"
    if not path.exists():
        import secrets

        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text()
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
    return path.read_text()


SECRET_KEY = _secret_key()

INSTALLED_APPS = [
    "stackyard.console.site.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "oauth2_provider",
    "stackyard.core",
    "stackyard.runs",
    "stackyard.tables",
    "stackyard.stacks",
    "auth",
    "endpoints",
    "lambdas",
    "stackyard.alerts",
    "stackyard.console",
]

MIDDLEWARE = [
    "stackyard.core.request_id.RequestIds",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "stackyard.console.csp.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "stackyard.console.languages.ConsoleLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "stackyard.urls"
WSGI_APPLICATION = "stackyard.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# data.md §2.3: IMMEDIATE cannot be left out (a read transaction that upgrades after another commit fails at once).
_SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
        "PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=67108864;"
    ),
}


def _sqlite(name: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": HOME / name,
        "CONN_MAX_AGE": None,
        "OPTIONS": _SQLITE_OPTIONS,
        "TEST": {"NAME": HOME / f"test-{os.getpid()}-{name}"},
    }


def _databases() -> dict[str, dict[str, Any]]:
    """SQLite: records and catalogue in one file, request history in another (one writer per file)."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        return {"default": _sqlite("stackyard.sqlite3"), "history": _sqlite("history.sqlite3")}
    default = dict(dj_database_url.parse(url, conn_max_age=600, conn_health_checks=False))
    default["CONN_MAX_AGE"] = None
    default["TEST"] = {"NAME": f"test_stackyard_{os.getpid()}"}
    return {"default": default, "history": {**default, "TEST": {"MIRROR": "default"}}}


DATABASES = _databases()
ON_POSTGRESQL = "postgresql" in DATABASES["default"]["ENGINE"]
# A second thread overlaps the waits for PostgreSQL; SQLite never waits.
WEB_THREADS = int(os.environ.get("WEB_THREADS", "2" if ON_POSTGRESQL else "1"))
DATABASE_ROUTERS = ["stackyard.databases.HistoryRouter"]
# How the version token is learnt: read with each request on SQLite, watched by a thread on PostgreSQL.
VERSION_WATCHED = ON_POSTGRESQL and os.environ.get("STACKYARD_VERSION_WATCHED", "1") == "1"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "auth.roles.Roles"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "UTC"
USE_I18N = True
FORMAT_MODULE_PATH = "stackyard.console.formats"
USE_TZ = True

STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # What people upload. The names in it are ours, and nothing serves it but core/vault.
    "files": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": HOME / "files",
            "base_url": None,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
# The console's scripts are named by what is in them: a browser need never ask again.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/console/build/[\w-]+-[A-Z0-9]{8}\.\w+$"

SESSION_COOKIE_HTTPONLY = True
# A sign-in ends after a day at the latest. Over TLS the browser takes the cookie from this host and no other (RFC 6265bis §4.1.3.2).
SESSION_COOKIE_AGE = 86_400
SESSION_COOKIE_NAME = "__Host-sessionid" if PUBLIC_URL.startswith("https://") else "sessionid"
SECURE_HSTS_SECONDS = 31_536_000 if PUBLIC_URL.startswith("https://") else 0
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# The strict body reader enforces its own limit before Django would read a body.
DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000_000
# Uploads wait here, beside where files are kept, so that keeping one is a rename.
FILE_UPLOAD_TEMP_DIR = HOME / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(exist_ok=True, mode=0o700)
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
    # Deny is the default: a view that says nothing else is one of the management API's.
    "DEFAULT_AUTHENTICATION_CLASSES": ["auth.meta.MetaKey", "auth.meta.ConsoleSession"],
    "DEFAULT_PERMISSION_CLASSES": ["stackyard.core.meta.permissions.MayManage"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Stackyard management API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "DESCRIPTION": (
        "Everything the console can do. Send a key with the scope `meta` (it opens its own workspace), or call as "
        "somebody who is signed in to the console. Every answer carries `X-Request-ID`."
    ),
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [],
}
# The authorization server (auth/oauth): every gate of RFC 9700 on, and tables of our own.
OAUTH2_PROVIDER_APPLICATION_MODEL = "accounts.Application"
OAUTH2_PROVIDER_GRANT_MODEL = "accounts.Grant"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "accounts.AccessToken"
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "accounts.RefreshToken"
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "accounts.IDToken"
OAUTH2_PROVIDER = {
    **{
        f"COMPLIANT_BCP_RFC9700_{gate}": True
        for gate in (
            *("IMPLICIT_GRANT", "PASSWORD_GRANT", "PKCE_METHOD", "PKCE_REQUIRED", "ACCESS_TOKEN_TRANSPORT"),
            *("AUTHZ_RESPONSE_ISS", "TOKEN_STORAGE", "REFRESH_TOKEN"),
            *("REDIRECT_URI_SCHEME", "REDIRECT_URI_MATCHING"),
        )
    },
    "OAUTH2_VALIDATOR_CLASS": "auth.oauth.validator.Validator",
    "SCOPES_BACKEND_CLASS": "auth.oauth.scopes.WorkspaceScopes",
    "ACCESS_TOKEN_GENERATOR": "auth.oauth.validator.new_access_token",
    "REFRESH_TOKEN_GENERATOR": "auth.oauth.validator.new_refresh_token",
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "ID_TOKEN_EXPIRE_SECONDS": 3600,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 86_400,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": ["code"],
    "OIDC_RESPONSE_TYPES_SUPPORTED": ["code"],
    "OIDC_ENABLED": True,
    "OIDC_ISS_ENDPOINT": PUBLIC_URL,
    # Made at its first use; nothing of the apps may be loaded here.
    "OIDC_RSA_PRIVATE_KEY": SimpleLazyObject(lambda: import_string("auth.signing_keys.identity_key")()),
}
CSRF_FAILURE_VIEW = "stackyard.refusals.csrf_refused"

# E-mail is written to files in the home unless EMAIL_URL names a server: smtp://host (without encryption),
# submission://user:password@host (STARTTLS, port 587), smtps://user:password@host (TLS, port 465).
_MAIL_PORTS = {"smtp": 25, "submission": 587, "smtps": 465}
_mail = urlsplit(os.environ.get("EMAIL_URL", ""))
if not _mail.scheme:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = HOME / "mail"
    EMAIL_FILE_PATH.mkdir(exist_ok=True, mode=0o700)
elif _mail.scheme not in _MAIL_PORTS or not _mail.hostname:
    raise ImproperlyConfigured(f"EMAIL_URL is {', '.join(f'{s}://' for s in _MAIL_PORTS)} and a host.")
else:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _mail.hostname
    EMAIL_PORT = _mail.port or _MAIL_PORTS[_mail.scheme]
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_TLS = _mail.scheme == "submission"
    EMAIL_USE_SSL = _mail.scheme == "smtps"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("EMAIL_FROM", f"Stackyard <stackyard@{urlsplit(PUBLIC_URL).hostname}>")

# The courier of background runs (reliability.md §8 rule 11). The row in stackyard.runs is the job: what a broker or
# a worker loses is sent again. Without Redis the broker is a folder of the home, looked into 20 times a second.
WORKERS_AT_LEAST = int(os.environ.get("WORKERS_AT_LEAST", "1"))
WORKERS_AT_MOST = int(os.environ.get("WORKERS_AT_MOST", "4"))
# How long a worker may be silent before its run is taken from it, and how long a message may stay untaken.
# How long a table or field that was dropped can be had back. Never shorter than the longest request.
DROP_AFTER_SECONDS = max(600.0, float(os.environ.get("STACKYARD_DROP_AFTER_SECONDS", "604800")))
RUN_LEASE_SECONDS = float(os.environ.get("STACKYARD_RUN_LEASE_SECONDS", "30"))
RUN_SEND_AGAIN_SECONDS = float(os.environ.get("STACKYARD_RUN_SEND_AGAIN_SECONDS", "10"))
_MESSAGES = HOME / "courier" / "messages"
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        # No copy of each message in Redis until it is done, two round trips a run: what a worker that dies had in hand is
        # taken back by its row (lease, sweep), long before a copy would come back.
        "ack_emulation": False,
        "visibility_timeout": 3600,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "health_check_interval": 10,
        "global_keyprefix": "stackyard:",
    }
else:
    _MESSAGES.mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_URL = "folder://localhost/"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_MESSAGES),
        "data_folder_out": str(_MESSAGES),
        "polling_interval": 0.05,
    }
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
# Nothing is kept as a result, so nothing is to be cleaned up every night.
CELERY_RESULT_EXPIRES = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_TIME_LIMIT = 360
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_AUTOSCALER = "stackyard.runs.pool:Autoscaler"
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_WORKER_ENABLE_REMOTE_CONTROL = bool(REDIS_URL)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker waits for a broker that is away as long as it takes.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TIMEZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # Its warnings hold the URLs of requests, and these may hold secrets.
    "loggers": {"urllib3": {"level": "ERROR"}},
}
