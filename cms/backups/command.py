"""What the commands `backup` and `restore` share: their language, their voice, and how they refuse."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from types import FrameType
from typing import Any, NoReturn

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _

from core.backup.errors import BackupRefused
from core.backup.progress import Progress, say_nothing
from core.terminal import terminal_language


def stop(number: int, frame: FrameType | None) -> NoReturn:
    """Asked to end, a command tidies up behind itself."""
    sys.exit(128 + number)


class BackupCommand(BaseCommand):
    """A command that says each step on standard output, and what needs a look on standard error."""

    # A site that lacks a setting can be backed up and restored all the same.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="Say only what needs a look.")
        parser.add_argument(
            "--language",
            choices=[code for code, _name in settings.LANGUAGES],
            help="Speak English or French; by default as the terminal does (LC_ALL, LC_MESSAGES, LANG).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Progress(
            say=say_nothing if options["quiet"] else self.stdout.write,
            warn=lambda text: self.stderr.write(self.style.WARNING(text)),
        )
        before = signal.getsignal(signal.SIGTERM)
        try:
            # A command that a test calls in a thread cannot listen to signals.
            signal.signal(signal.SIGTERM, stop)
        except ValueError:
            before = None
        try:
            with translation.override(options["language"] or terminal_language()):
                self.work(progress=progress, **options)
        except BackupRefused as error:
            raise CommandError(str(error)) from error
        except (DatabaseError, psycopg.Error) as error:
            raise CommandError(self._explain(_("The database refused: %(error)s"), error, options)) from error
        except OSError as error:
            raise CommandError(
                self._explain(_("A file could not be used: %(error)s"), error, options)
            ) from error
        finally:
            if before is not None:
                signal.signal(signal.SIGTERM, before)

    def _explain(self, sentence: str, error: Exception, options: dict[str, Any]) -> str:
        return sentence % {"error": str(error).strip()}

    def work(self, *, progress: Progress, **options: Any) -> None:
        raise NotImplementedError
