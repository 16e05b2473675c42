"""The settings of a worker that works in a test's own database and files, as a process of its own."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, STORAGES

DATABASES["default"]["NAME"] = os.environ["WORKER_DATABASE"]
STORAGES["private"] = {
    **STORAGES["private"],
    "OPTIONS": {"location": os.environ["WORKER_FILES"], "base_url": None},
}
# Its mails go to the test's own server.
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ.get("WORKER_MAIL_PORT", "1"))
EMAIL_USE_TLS = False
EMAIL_TIMEOUT = 60
