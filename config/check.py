"""``python -m config.check``: what `make check` asks of the project itself, beyond style and types.

Floors, templates, migrations, translations, content packs, the API's document, the deployment settings and the
dependencies. Every part is tried, and each failure is told.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent

# As a site in service has it; every value is made up, and no database answers there.
PRODUCTION: Final = {
    "SECRET_KEY": "as-long-and-as-random-as-a-real-one-4f1c9b07d2e8a653-K7qPzWv",
    "ALLOWED_HOSTS": "learn.example.ca",
    "PUBLIC_ORIGIN": "https://learn.example.ca",
    "DATABASE_URL": "postgresql://app:secret@127.0.0.1:1/safer",
    "DATABASE_OWNER_URL": "postgresql://owner:secret@127.0.0.1:1/safer",
    "DATABASE_POOL": "0",
    "EMAIL_HOST": "mail.example.ca",
    "CERTIFICATE_SEALING_KEYS": "VGhpcnR5LXR3byBieXRlcyBmb3IgdGhpcyBjaGVjay4=",
    "SECURITY_CONTACT": "mailto:security@example.ca",
    "DATA_DIR": "",
}


class CheckFailed(Exception):
    """A part of the check found something; the text says what."""


def run(*command: str, env: dict[str, str] | None = None) -> None:
    """Run a program; its output is shown only where it fails."""
    result = subprocess.run(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if result.returncode:
        raise CheckFailed(result.stdout.strip())


def check_floors() -> None:
    run(str(Path(sys.executable).parent / "lint-imports"), "--no-logo")


def check_templates() -> None:
    """Every template of the project compiles, and its includes are there."""
    from django.conf import settings
    from django.template import TemplateSyntaxError, engines

    faults = []
    folders = [ROOT / "templates", *(ROOT / floor / "templates" for floor in settings.FLOORS)]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix in {".html", ".txt", ".xml", ".svg"}:
                try:
                    engines["django"].get_template(str(path.relative_to(folder)))
                except (TemplateSyntaxError, UnicodeDecodeError) as error:
                    faults.append(f"{path.relative_to(ROOT)}: {error}")
    if faults:
        raise CheckFailed("\n".join(faults))


def check_migrations() -> None:
    from django.core.management import call_command

    try:
        call_command("makemigrations", check_changes=True, dry_run=True, verbosity=1)
    except SystemExit as error:
        raise CheckFailed(
            "The models have changes that no migration makes. Run “manage.py makemigrations”."
        ) from error


def check_translations() -> None:
    from django.core.management import CommandError, call_command

    if shutil.which("xgettext") is None:
        text = "The translations were not compared, because xgettext is missing. Install it: apt-get install gettext"
        if os.environ.get("CI"):
            raise CheckFailed(text)
        print(f"    {text}")
        return
    try:
        call_command("merge_locale", check=True)
    except CommandError as error:
        raise CheckFailed(str(error)) from error


def check_content_packs() -> None:
    """Every content pack of the project says what it should, in both languages. See `docs/packs.md`."""
    from modules.packcheck.check import check_packs, find_packs

    found = check_packs(find_packs())
    if found:
        raise CheckFailed("\n".join(map(str, found)))


def check_api_document() -> None:
    from django.core.management import CommandError, call_command

    with tempfile.TemporaryDirectory() as folder:
        try:
            call_command("spectacular", file=f"{folder}/api.yaml", validate=True, fail_on_warn=True)
        except (CommandError, SystemExit) as error:
            raise CheckFailed(str(error)) from error


def check_deployment() -> None:
    """Django's own advice for a site in service finds nothing."""
    with tempfile.TemporaryDirectory() as folder:
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT") if name in os.environ
        }
        run(
            sys.executable,
            "manage.py",
            "check",
            "--deploy",
            "--fail-level",
            "WARNING",
            env={**kept, **PRODUCTION, "DATA_DIR": folder},
        )


def check_dependencies() -> None:
    """What can be known of them without a network: see `config.dependencies`."""
    from config.dependencies import audit

    if faults := audit():
        raise CheckFailed("\n".join(faults))


PARTS: Final[dict[str, Callable[[], None]]] = {
    "Floors": check_floors,
    "Templates": check_templates,
    "Migrations": check_migrations,
    "Translations": check_translations,
    "Content packs": check_content_packs,
    "The API's document": check_api_document,
    "Deployment": check_deployment,
    "Dependencies": check_dependencies,
}


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings

    django.setup()
    if settings.EMBEDDED_POSTGRES is not None:
        settings.EMBEDDED_POSTGRES.acquire()
    failed = False
    for title, check in PARTS.items():
        print(f"  {title} …", flush=True)
        try:
            check()
        except CheckFailed as error:
            failed = True
            print(f"{error}\n", flush=True)
    if failed:
        sys.exit("The check found what stands above.")


if __name__ == "__main__":
    main()
