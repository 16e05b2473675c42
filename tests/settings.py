"""The site's settings for tests: its own embedded PostgreSQL, files that vanish, and what only slows tests turned off.

Give ``DATA_DIR`` to keep the test database somewhere else than under ``var/test``.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Once: a process of a parallel run inherits the variable as the first one set it, and is to share its server.
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["DATA_DIR"] = str(Path(os.environ.get("DATA_DIR", ROOT / "var")).resolve() / "test")
os.environ["DATABASE_ROLE"] = "owner"
os.environ["EMBEDDED_POSTGRES_THROWAWAY"] = "1"
os.environ["DEMO"] = "1"
os.environ["DEBUG"] = "0"
os.environ["SECRET_KEY"] = "only-for-tests-" + "x" * 50
os.environ["ALLOWED_HOSTS"] = "localhost,127.0.0.1"
os.environ["PUBLIC_ORIGIN"] = "http://testserver"
os.environ["LOG_LEVEL"] = "ERROR"
os.environ["SECURITY_CONTACT"] = "mailto:security@testserver"
# Playwright keeps an event loop in the thread of the test, where Django would refuse its ORM.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
os.environ["CERTIFICATE_SEALING_KEYS"] = "A" * 43
for name in ("CACHE_URL", "EMAIL_HOST", "TRUSTED_PROXY_COUNT"):
    os.environ.pop(name, None)

from config.settings import *  # noqa: E402, F403
from config.settings import CACHES, REST_FRAMEWORK, STORAGES  # noqa: E402

FILES = Path(tempfile.mkdtemp(prefix="safer-test-files-"))
atexit.register(shutil.rmtree, FILES, ignore_errors=True)

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
MEDIA_ROOT = FILES / "media"
STORAGES = {
    "default": {**STORAGES["default"], "OPTIONS": {"location": str(MEDIA_ROOT), "base_url": "/media/"}},
    "private": {**STORAGES["private"], "OPTIONS": {"location": str(FILES / "private"), "base_url": None}},
    # No manifest: tests need not collect files first.
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_ROOT = FILES / "static"
STATIC_ROOT.mkdir()
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
ERASURE_JOURNAL = FILES / "erasures.jsonl"
EMAIL_FILE_PATH = str(FILES / "mail")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # So that its table is made: a test that is about sharing uses it.
    "shared": CACHES["default"],
}
# A test that is about limits sets its own.
ACCOUNT_RATE_LIMITS = False
REST_FRAMEWORK = {**REST_FRAMEWORK, "DEFAULT_THROTTLE_CLASSES": []}
