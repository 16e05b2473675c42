"""What a start needs before the site can serve; each part is safe to run again.

``python -m config.prepare database`` runs as the owner: migrations, messages, static files.
``python -m config.prepare content`` runs as the application: the starting content and, in the demo, its people.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROLES: Final = {"database": "owner", "content": "app"}
# The starting content, and the demo's people with their lived-in courses: each floor's own command.
CONTENT_COMMANDS: Final = (("setup_site",), ("load_content", "--changed"))
DEMO_COMMANDS: Final = (("load_demo",),)


def say_step(text: str, act: Callable[[], object]) -> None:
    """Say what is being done, do it, and say how long it took."""
    print(f"  {text} …", flush=True)
    started = time.monotonic()
    act()
    took = time.monotonic() - started
    if took >= 1:
        print(f"    done in {took:.0f} s", flush=True)


def prepare_database() -> None:
    from django.core.management import call_command

    say_step(
        "Bringing the database up to date", lambda: call_command("migrate", interactive=False, verbosity=0)
    )
    say_step("Compiling the French messages", lambda: call_command("compile_locale", stdout=io.StringIO()))
    collect_static_files()


def collect_static_files() -> None:
    """Collect and pack the static files where any has changed since the last time."""
    from django.conf import settings
    from django.core.management import call_command

    if settings.DEBUG:
        return
    stamp = Path(settings.STATIC_ROOT) / ".digest"
    digest = describe_static_files()
    if stamp.exists() and stamp.read_text() == digest:
        return
    say_step(
        "Packing styles, scripts and pictures",
        lambda: call_command("collectstatic", interactive=False, clear=True, verbosity=0),
    )
    stamp.write_text(digest)


def describe_static_files() -> str:
    """A digest of the names, sizes and times of all static files."""
    from django.contrib.staticfiles.finders import get_finders

    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            state = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def prepare_content() -> None:
    from django.conf import settings
    from django.core.management import call_command

    for command in (*CONTENT_COMMANDS, *(DEMO_COMMANDS if settings.DEMO else ())):
        call_command(*command)


def main() -> None:
    part = sys.argv[1]
    os.environ["DATABASE_ROLE"] = ROLES[part]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    if part == "database":
        prepare_database()
    else:
        prepare_content()


if __name__ == "__main__":
    main()
