#!/usr/bin/env python
"""The operator's commands. The embedded PostgreSQL is started for those that need a database."""

import os
import sys

# These change tables or read everything; the application's own role may not.
OWNER_COMMANDS = frozenset(
    {
        "backup",
        "createcachetable",
        "dbshell",
        "flush",
        "grant_app_role",
        "makemigrations",
        "migrate",
        "optimizemigration",
        "restore",
        "sqlflush",
        "sqlmigrate",
        "squashmigrations",
        "test",
    }
)
COMMANDS_WITHOUT_DATABASE = frozenset(
    {
        "check",
        "collectstatic",
        "compile_locale",
        "findstatic",
        "help",
        "makemessages",
        "merge_locale",
        "spectacular",
        "startapp",
        "version",
        "--help",
        "--version",
    }
)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command in OWNER_COMMANDS:
        os.environ.setdefault("DATABASE_ROLE", "owner")

    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from config.postgres import EmbeddedPostgresError, print_step

    try:
        embedded = settings.EMBEDDED_POSTGRES
        if embedded is not None and command not in COMMANDS_WITHOUT_DATABASE:
            embedded.say = print_step
            embedded.acquire()
    except (ImproperlyConfigured, EmbeddedPostgresError) as error:
        sys.exit(str(error))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
