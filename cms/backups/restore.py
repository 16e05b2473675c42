"""Restoring a backup: everything is checked before anything is touched, and the database decides in one transaction."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.contrib.contenttypes.models import ContentType
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.models import Site

from accounts.services import ErasedThings, replay_erased
from cms.backups.checks import Findings, check_restored
from cms.backups.target import (
    MARK,
    UNFINISHED,
    Order,
    Target,
    finish_earlier,
    gather_erased,
    look_at_target,
    refuse_target,
    refuse_unfit,
    tell_of_no_journal,
)
from core.backup import database, files, schema
from core.backup.archive import BackupReader
from core.backup.errors import BackupRefused
from core.backup.manifest import Manifest
from core.backup.progress import Progress


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
        refuse_unfit(manifest, progress)
        erased = gather_erased(order, manifest)
        if not finish_earlier(stores, manifest, progress):
            target = look_at_target()
            refuse_target(target, order, manifest)
            tell_of_no_journal(target, order, progress)
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
        mark = MARK.format(key=staging.key, backup=manifest.id) + UNFINISHED
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
    found = check_restored(manifest=manifest, progress=progress)
    database.mark_restored(database.read_mark().removesuffix(UNFINISHED))
    return found
