"""The application for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

from core.collector import spare_the_collector

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
spare_the_collector()
