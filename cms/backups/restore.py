"""Restoring a backup: everything is checked before anything is touched, and the database decides in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.models import Site

from accounts.services import (
    ErasedThings,
    NotAnErasure,
    parse_erased,
    read_erased,
    replay_erased,
)
from accounts.services import list_erased as list_erased_here
from cms.backups.checks import Findings, check_restored
from core.backup import database, files, schema
from core.backup.archive import BackupReader
from core.backup.errors import BackupRefused, DamagedBackup
from core.backup.manifest import Manifest
from core.backup.progress import Progress

# What this floor writes into the database's mark: "restore <key> of <backup>".
MARK: Final = "restore {key} of {backup}"


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


class BrokenOff(BackupRefused):
    """The database is restored, and what follows could not be done."""

    def __init__(self, error: Exception) -> None:
        super().__init__(
            _(
                "The database is restored, but what follows was broken off: %(error)s. Do not start the site. Mend "
                "that, and give the same command again: it goes on from here."
            )
            % {"error": str(error).strip()}
        )


class NotBroughtForward(BackupRefused):
    """The rows of an earlier version are loaded, and a migration since then failed over them."""

    def __init__(self, manifest: Manifest, error: Exception) -> None:
        super().__init__(
            _(
                "The rows are restored, but could not be brought to this version of the software: %(error)s. Do not "
                "start the site. Restore into an empty database with version %(software)s, which made the backup."
            )
            % {"error": str(error).strip(), "software": manifest.software}
        )


def verify_backup(*, source: Path, progress: Progress) -> Manifest:
    """Check every digest in the file and change nothing. Raises BackupRefused."""
    with BackupReader(source) as reader:
        return _verify(reader, progress)


def restore_backup(*, order: Order, progress: Progress) -> Findings:
    """Put a backup in place. Raises BackupRefused, and then nothing was changed; returns what the checks found."""
    stores = files.list_stores()
    database.refuse_without_ownership()
    with BackupReader(order.source) as reader:
        manifest = _verify(reader, progress)
        _refuse_unfit(manifest, progress)
        erased = _gather_erased(order, manifest)
        if not _finish_earlier(stores, manifest, progress):
            target = _look_at_target()
            _refuse_target(target, order, manifest)
            _tell_of_no_journal(target, order, progress)
            erased |= target.erased
            _carry_out(reader, manifest, target, erased, progress)
    try:
        return _complete(manifest, progress)
    except (DatabaseError, OSError, CommandError) as error:
        raise BrokenOff(error) from error


# -- Before -----------------------------------------------------------------------------------------------------------


def _verify(reader: BackupReader, progress: Progress) -> Manifest:
    progress.step(_("Checking every digest in %(file)s …") % {"file": reader.source})
    return reader.verify(tick=progress.counter(2 * reader.size))


def _refuse_unfit(manifest: Manifest, progress: Progress) -> None:
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


def _gather_erased(order: Order, manifest: Manifest) -> ErasedThings:
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


def _finish_earlier(stores: list[files.Store], manifest: Manifest, progress: Progress) -> bool:
    """Finish a restore that was killed after its database was in place, or clear one away that was killed before.

    Returns whether it was one of this very backup.
    """
    mark = database.read_mark()
    resumed = False
    for store in stores:
        for folder in files.find_folders(store, files.STAGED):
            if not files.is_abandoned(folder):
                raise BackupRefused(_("Another restore is running. Nothing was changed."))
            key = folder.name.removeprefix(files.STAGED)
            if mark.startswith(f"restore {key} "):
                resumed |= files.resume(store, key=key)
            else:
                files.discard_folder(folder)
    if resumed:
        progress.step(
            _(
                "An earlier restore was broken off when its database was in place. Its files are in place now as well."
            )
        )
    return resumed and mark.endswith(f" of {manifest.id}")


def _look_at_target() -> Target:
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
    return list_erased_here()


def _refuse_target(target: Target, order: Order, manifest: Manifest) -> None:
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


def _tell_of_no_journal(target: Target, order: Order, progress: Progress) -> None:
    if not target.filled and not order.erasures and not Path(settings.ERASURE_JOURNAL).exists():
        progress.warn(
            _(
                "There is no journal of erasures (%(journal)s) and no --erasures was given. Whoever was erased after "
                "the backup was made is there again: erase them with “manage.py replay_erasures FILE” as soon as you "
                "have the list, and before the site opens."
            )
            % {"journal": settings.ERASURE_JOURNAL}
        )


# -- Carrying out -----------------------------------------------------------------------------------------------------


def _carry_out(
    reader: BackupReader, manifest: Manifest, target: Target, erased: ErasedThings, progress: Progress
) -> None:
    stores = files.list_stores()
    sizes: dict[str, int] = {}
    for file in manifest.files:
        sizes[file.storage] = sizes.get(file.storage, 0) + file.size
    files.refuse_without_space(stores, sizes=sizes)
    _prepare_tables(manifest, target, progress)
    with files.Staging(stores, key=uuid.uuid4().hex) as staging:
        _stage_files(reader, manifest, staging, progress)
        mark = MARK.format(key=staging.key, backup=manifest.id)
        current = not schema.count_waiting(frozenset(manifest.migrations))
        try:
            if not current:
                with transaction.atomic(durable=True):
                    _load(reader, manifest, progress)
                _bring_forward(manifest, progress)
            with transaction.atomic(durable=True):
                if current:
                    _load(reader, manifest, progress)
                _forget_the_old()
                _erase_again(erased, staging, progress)
                database.mark_restored(mark)
                staging.keep()
        except BaseException:
            if not _has_mark(mark):
                staging.give_up()
            raise
        progress.step(_("Putting the files in place …"))
        try:
            staging.put_in_place()
        except OSError as error:
            raise BrokenOff(error) from error


def _has_mark(mark: str) -> bool:
    """Whether the database committed after all; where it cannot be asked, the next restore asks it."""
    try:
        return database.read_mark() == mark
    except DatabaseError:
        return True


def _prepare_tables(manifest: Manifest, target: Target, progress: Progress) -> None:
    """Tables of the backup's state, where there are none or they are empty and of another."""
    state = frozenset(manifest.migrations)
    if not schema.is_same_state(target.state, state):
        progress.step(_("Making the tables; that takes a minute …"))
        schema.make_tables(state)
    call_command("createcachetable", verbosity=0)
    wanted = {table.table: table.columns for table in manifest.tables}
    different = schema.compare_columns(wanted, left_out=manifest.left_out)
    if different:
        raise BackupRefused(
            _(
                "The tables of the backup and those of this software differ (%(tables)s), so nothing was restored. "
                "Use the version that the backup was made with, %(software)s."
            )
            % {"tables": ", ".join(different[:10]), "software": manifest.software}
        )


def _stage_files(
    reader: BackupReader, manifest: Manifest, staging: files.Staging, progress: Progress
) -> None:
    progress.step(
        ngettext("Unpacking %(count)d file …", "Unpacking %(count)d files …", len(manifest.files))
        % {"count": len(manifest.files)}
    )
    stores = {store.alias: store for store in staging.stores}
    total, done = sum(file.size for file in manifest.files), 0
    for file in manifest.files:
        staging.write(stores[file.storage], file.name, reader.read(file))
        done += file.size
        progress.tick(done, of=total)
    staging.settle()


def _load(reader: BackupReader, manifest: Manifest, progress: Progress) -> None:
    progress.step(
        ngettext("Restoring %(count)d row …", "Restoring %(count)d rows …", manifest.rows)
        % {"count": manifest.rows}
    )
    loaded = {table.table for table in manifest.tables}
    emptied = loaded | set(manifest.left_out) | (database.cache_tables() & set(database.describe_tables()))
    database.prepare_loading()
    done = 0
    with database.take_off_foreign_keys(emptied):
        database.empty_tables(emptied)
        for table in manifest.tables:
            database.copy_in(table, reader.read(table))
            done += table.rows
            progress.tick(done, of=manifest.rows)
        progress.step(_("Proving the references between the rows …"))
    database.set_sequences(manifest.sequences, tables=loaded)


def _migrate() -> None:
    """What is missing to this version, and what follows every migration: contents, permissions, rights."""
    call_command("migrate", interactive=False, verbosity=0)


def _bring_forward(manifest: Manifest, progress: Progress) -> None:
    """The migrations since the backup, each a transaction of its own: the rows are in the database already."""
    progress.step(_("Bringing the tables to this version of the software …"))
    try:
        _migrate()
    except Exception as error:
        # A migration runs code of its own, and may fail in any way.
        raise NotBroughtForward(manifest, error) from error


def _forget_the_old() -> None:
    """What this process remembers of the database as it was."""
    ContentType.objects.clear_cache()
    Site.clear_site_root_paths_cache()


def _erase_again(erased: ErasedThings, staging: files.Staging, progress: Progress) -> None:
    """Erase again, and drop the files whose rows are erased before they ever come into place."""
    if not erased:
        return
    progress.step(_("Erasing again who and what was erased since the backup …"))
    before = files.find_references(staging.stores)
    again = replay_erased(erased)
    after = files.find_references(staging.stores)
    dropped = sum(
        staging.discard(store, before[store.alias] - after[store.alias]) for store in staging.stores
    )
    progress.say(
        _("There again and erased: %(again)d. Files that went with them: %(files)d.")
        % {"again": again, "files": dropped}
    )


# -- After ------------------------------------------------------------------------------------------------------------


def _complete(manifest: Manifest, progress: Progress) -> Findings:
    """What makes the restored site ready, and the proof that it is."""
    progress.step(_("Granting rights and letting the planner know …"))
    _migrate()
    database.analyze(table.table for table in manifest.tables)
    for cache in caches.all(initialized_only=False):
        cache.clear()
    _forget_the_old()
    return check_restored(manifest=manifest, progress=progress)
