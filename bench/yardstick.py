"""The yardstick: a bare Django view, one indexed SELECT and a template of thirty lines, no middleware.

Served by gunicorn with three sync workers: ``gunicorn bench.yardstick:application``. `BENCH_DATABASE` is the address
of the PostgreSQL that the site uses. A POST makes one committed INSERT instead of the SELECT: the write yardstick.
"""

from __future__ import annotations

import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine
from django.urls import path

from config.env import parse_database_url

PAGE = Engine().from_string(
    "<!doctype html><html lang='en'><head><title>{{ title }}</title></head><body><h1>{{ title }}</h1><ul>"
    + "\n".join(f"<li>{{{{ title }}}} {number}</li>" for number in range(26))
    + "</ul>\n</body></html>"
)


def show(request: HttpRequest) -> HttpResponse:
    """One row by its primary key, or one new row, on a page."""
    with connection.cursor() as cursor:
        if request.method == "POST":
            cursor.execute("INSERT INTO bench_note (note) VALUES (%s) RETURNING note", [request.POST["note"]])
        else:
            cursor.execute(
                "SELECT title_en FROM modules_courseedition WHERE id = %s", [os.environ["BENCH_EDITION"]]
            )
        row = cursor.fetchone()
    return HttpResponse(PAGE.render(Context({"title": row[0]})))


urlpatterns = [path("", show)]

if not settings.configured:
    settings.configure(
        SECRET_KEY="only-for-the-yardstick",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="bench.yardstick",
        DATABASES={"default": {**parse_database_url(os.environ["BENCH_DATABASE"]), "CONN_MAX_AGE": 600}},
        MIDDLEWARE=[],
        USE_TZ=True,
    )
    django.setup()

application = get_wsgi_application()
