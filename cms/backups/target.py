"""Before a restore: is this backup fit for this place, and what stands here already? Nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.services import ErasedThings, NotAnErasure, list_erased, parse_erased, read_erased
from core.backup import database, files, schema
from core.backup.errors import BackupRefused, DamagedBackup
from core.backup.manifest import Manifest
from core.backup.progress import Progress

# What a database says of the restore that it holds, by the key of its files and that of the backup.
MARK: Final = "restore {key} of {backup}"
# As long as the steps after the transaction are not done.
UNFINISHED: Final = ", unfinished"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What an operator asked for. `confirm` is asked before something is replaced, and is told by which name."""

    source: Path
    erasures: Path | None = None
    replace: bool = False
    ignore_connections: bool = False
    confirm: Callable[[str], bool] = lambda _name: False


@dataclass(frozen=True, kw_only=True)
class Target:
    """What stands where the backup is to go. `filled` are tables of ours with rows in them."""

    state: schema.State
    filled: tuple[str, ...]
    files: int
    erased: ErasedThings

    @property
    def is_empty(self) -> bool:
        return not self.filled and not self.files


def refuse_unfit(manifest: Manifest, progress: Progress) -> None:
    """What makes a backup unfit for this software, server or site."""
    schema.refuse_later_state(frozenset(manifest.migrations))
    here = database.server_version() // 10_000
    if here < manifest.server_major:
        raise BackupRefused(
            _(
                "The backup is of PostgreSQL %(theirs)d and this server is PostgreSQL %(ours)d: a restore goes to the "
                "same or a newer version. Nothing was changed."
            )
            % {"theirs": manifest.server_major, "ours": here}
        )
    if manifest.demo and not settings.DEMO:
        raise BackupRefused(
            _(
                "This is a backup of a demo, whose password everybody knows, so it is not restored where DEMO is not "
                "set. Nothing was changed."
            )
        )
    unknown = {file.storage for file in manifest.files} - {store.alias for store in files.list_stores()}
    if unknown:
        raise DamagedBackup(
            _(
                "The backup has files of a storage that this site does not have: %(names)s. Nothing was changed."
            )
            % {"names": ", ".join(sorted(unknown))}
        )
    progress.say(
        _("A backup of %(origin)s, made on %(moment)s by version %(software)s.")
        % {
            "origin": manifest.origin,
            "moment": manifest.made_at.isoformat(sep=" ", timespec="minutes"),
            "software": manifest.software,
        }
    )


def gather_erased(order: Order, manifest: Manifest) -> ErasedThings:
    """Who and what was erased since: by the journal, the operator's list, and what happened while it was made."""
    try:
        erased = read_erased(manifest.notes.get("erased", []))
    except NotAnErasure as error:
        raise DamagedBackup(
            _("The backup's own list of erasures cannot be read. Nothing was changed.")
        ) from error
    journal = Path(settings.ERASURE_JOURNAL)
    sources = [
        path for path in (journal, order.erasures) if path and (path.exists() or path == order.erasures)
    ]
    for path in sources:
        try:
            erased |= parse_erased(path.read_text(encoding="utf-8"))
        except NotAnErasure as error:
            raise BackupRefused(
                _("Line %(line)d of %(file)s is no record of an erasure. Nothing was changed.")
                % {"line": error.line, "file": path}
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise BackupRefused(
                _("The erasures in %(file)s cannot be read: %(error)s. Nothing was changed.")
                % {"file": path, "error": error}
            ) from error
    return erased


def finish_earlier(stores: list[files.Store], manifest: Manifest, progress: Progress) -> bool:
    """Put files in place whose restore was killed after its database was; clear away those of one killed before.

    Returns whether it was a restore of this very backup, whose last steps are still to be done.
    """
    mark = database.read_mark()
    for store in stores:
        for folder in files.find_folders(store, files.STAGED):
            if not files.is_abandoned(folder):
                raise BackupRefused(_("Another restore is running. Nothing was changed."))
            key = folder.name.removeprefix(files.STAGED)
            if mark.startswith(f"restore {key} "):
                files.resume(store, key=key)
            else:
                files.discard_folder(folder)
    unfinished = mark.endswith(f" of {manifest.id}{UNFINISHED}")
    if unfinished:
        progress.step(
            _("This restore was broken off when its database was in place already. It goes on from there …")
        )
    return unfinished


def look_at_target() -> Target:
    """Rows of the floors' own tables are what makes an installation more than its migrations."""
    known = set(database.describe_tables())
    ours = {
        table
        for table in connection.introspection.django_table_names(include_views=False)
        if table.split("_", 1)[0] in settings.FLOORS
    }
    state = schema.read_state()
    filled = database.find_filled(known & ours)
    return Target(
        state=state,
        filled=tuple(filled),
        files=files.count_files(files.list_stores()),
        erased=_list_erased_of(state, filled),
    )


def _list_erased_of(state: schema.State, filled: list[str]) -> ErasedThings:
    """The erasures on record where they are about to be replaced. Tables of another state cannot be asked."""
    if not filled or schema.find_unknown(state) or schema.count_waiting(state):
        return ErasedThings()
    return list_erased()


def refuse_target(target: Target, order: Order, manifest: Manifest) -> None:
    roles = {database.current_role(), settings.DATABASE_APP_ROLE or database.current_role()}
    others = 0 if order.ignore_connections else database.count_others(roles)
    if others:
        raise BackupRefused(
            ngettext(
                "%(count)d other process uses this database. Stop the web server and the workers first, or give "
                "--ignore-connections where a pooler keeps its own. Nothing was changed.",
                "%(count)d other processes use this database. Stop the web server and the workers first, or give "
                "--ignore-connections where a pooler keeps its own. Nothing was changed.",
                others,
            )
            % {"count": others}
        )
    if target.is_empty:
        return
    name = str(connection.settings_dict["NAME"])
    if not order.replace:
        raise BackupRefused(
            _(
                "This installation is not empty (tables with rows in the database “%(name)s”: %(tables)d; files: "
                "%(files)d). Nothing was changed. Restore into an empty one, or give --replace to lose what is here."
            )
            % {"name": name, "tables": len(target.filled), "files": target.files}
        )
    if target.filled and not schema.is_same_state(target.state, frozenset(manifest.migrations)):
        raise BackupRefused(
            _(
                "This database and the backup are of different versions of the software, so one cannot take the place "
                "of the other. Nothing was changed. Make an empty database, and restore into that."
            )
        )
    if not order.confirm(name):
        raise BackupRefused(_("Nothing was changed."))


def tell_of_no_journal(target: Target, order: Order, progress: Progress) -> None:
    if not target.filled and not order.erasures and not Path(settings.ERASURE_JOURNAL).exists():
        progress.warn(
            _(
                "There is no journal of erasures (%(journal)s) and no --erasures was given. Whoever was erased after "
                "the backup was made is there again: erase them with “manage.py replay_erasures FILE” as soon as you "
                "have the list, and before the site opens."
            )
            % {"journal": settings.ERASURE_JOURNAL}
        )
