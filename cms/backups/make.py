"""Making a backup: one snapshot of the database, and the files that belong to it."""

from __future__ import annotations

import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.services import append_to_journal, list_erased
from core import clock
from core.backup.archive import BackupWriter, is_packed, read_chunks
from core.backup.database import (
    LEFT_OUT,
    Snapshot,
    cache_tables,
    copy_out,
    describe_tables,
    hold_snapshot,
    our_tables,
)
from core.backup.files import Found, HeldFiles, Store, find_references, hold_files, list_stores
from core.backup.manifest import Manifest, StoredFile, TableData, name_file_member, name_table_member
from core.backup.progress import Progress
from core.backup.schema import read_state, refuse_unfinished_state
from modules.management.commands.editions import list_editions

# How often a new moment is taken because files went or came while the old one was looked at.
TRIES: Final = 5


@dataclass(frozen=True, kw_only=True)
class Made:
    """A backup that is on the disk. `digest` is the SHA-256 of the file, as any tool computes it."""

    path: Path
    size: int
    digest: str
    manifest: Manifest


def make_backup(*, target: Path, overwrite: bool = False, progress: Progress | None = None) -> Made:
    """Write database and files to `target`. Raises BackupRefused; then nothing is left behind."""
    progress = progress or Progress()
    stores = list_stores()
    refuse_unfinished_state(read_state())
    _tell_of_strangers(progress)
    with BackupWriter(target, moment=clock.now(), overwrite=overwrite) as writer:
        manifest = _write(writer, stores, progress)
        writer.finish(manifest)
    return Made(path=target, size=writer.size, digest=writer.whole_digest, manifest=manifest)


def list_edition_digests() -> list[str]:
    """What `editions --digests` prints."""
    return [f"{kind} {name} {number} {digest}" for kind, name, number, digest in list_editions()]


def name_secret_key(key: str) -> str:
    """A name of a secret key that does not give it away: the same key, the same name."""
    return salted_hmac("cms.backups", "which key", secret=key, algorithm="sha256").hexdigest()[:32]


def _tell_of_strangers(progress: Progress) -> None:
    strangers = sorted(set(describe_tables()) - our_tables() - cache_tables())
    if strangers:
        progress.warn(
            _("These tables are not of this software, and are not in the backup: %(tables)s.")
            % {"tables": ", ".join(strangers)}
        )


def _write(writer: BackupWriter, stores: list[Store], progress: Progress) -> Manifest:
    doubtful: set[str] = set()
    for attempt in range(1, TRIES + 1):
        with ExitStack() as stack:
            progress.step(_("Taking a moment of the database and holding its files …"))
            began = time.time()
            snapshot = stack.enter_context(hold_snapshot())
            moment = clock.now()
            held = stack.enter_context(hold_files(stores))
            named = find_references(stores)
            found = _find_doubtful(held, named, since=began)
            if found and found != doubtful and attempt < TRIES:
                # Deleted or written between the two looks, or lost long ago: a new moment tells which.
                doubtful = found
                continue
            notes: dict[str, Any] = {
                "editions": list_edition_digests(),
                "secret_key": name_secret_key(settings.SECRET_KEY),
            }
            erased, state = list_erased(), read_state()
            tables = _write_tables(writer, snapshot, progress)
            files, missing = _write_files(writer, held, named, progress)
        break
    # Whoever was erased while it ran is in the file, and is erased again when it is restored.
    now_erased = list_erased()
    notes["erased"] = (now_erased - erased).to_documents()
    append_to_journal(now_erased)
    _tell_of_missing(_find_lost(missing, stores), progress)
    return Manifest(
        id=uuid.uuid4(),
        made_at=moment,
        software=settings.VERSION,
        origin=settings.PUBLIC_ORIGIN,
        demo=settings.DEMO,
        server_version=snapshot.server_version,
        migrations=tuple(sorted(state)),
        tables=tuple(tables),
        sequences=snapshot.sequences,
        files=tuple(files),
        left_out=tuple(sorted(LEFT_OUT & set(snapshot.tables))),
        missing=tuple(missing),
        notes=notes,
    )


def _find_doubtful(held: list[HeldFiles], named: Found, *, since: float) -> set[str]:
    """Files that rows of the snapshot name and that are gone, or were written after it."""
    doubtful = set()
    for part in held:
        for name in named[part.store.alias]:
            file = part.files.get(name)
            if file is None or file.changed_at > since:
                doubtful.add(f"{part.store.alias}/{name}")
    return doubtful


def _find_lost(missing: list[str], stores: list[Store]) -> list[str]:
    """Those that rows still name now, and so were not just deleted together with their rows."""
    named = find_references(stores) if missing else {}
    still = {f"{alias}/{name}" for alias, names in named.items() for name in names}
    return [name for name in missing if name in still]


def _write_tables(writer: BackupWriter, snapshot: Snapshot, progress: Progress) -> list[TableData]:
    kept = {name: columns for name, columns in snapshot.tables.items() if name not in LEFT_OUT}
    progress.step(
        ngettext("Writing %(count)d table …", "Writing %(count)d tables …", len(kept)) % {"count": len(kept)}
    )
    written = []
    for place, (table, columns) in enumerate(kept.items()):
        counter = RowCounter()
        member = name_table_member(table)
        size, sha256 = writer.add(member, map(counter.count, copy_out(table, columns)))
        written.append(
            TableData(
                member=member, size=size, sha256=sha256, table=table, columns=columns, rows=counter.rows
            )
        )
        progress.tick(place, of=len(kept))
    return written


class RowCounter:
    """Counts the rows that pass: a row is a line, since a line break inside a value is written as an escape."""

    def __init__(self) -> None:
        self.rows = 0

    def count(self, chunk: bytes) -> bytes:
        self.rows += chunk.count(b"\n")
        return chunk


def _write_files(
    writer: BackupWriter, held: list[HeldFiles], named: Found, progress: Progress
) -> tuple[list[StoredFile], list[str]]:
    """The files, and the names of those that rows name and that are not there."""
    wanted = [
        (part.store, name, file)
        for part in held
        for name, file in part.files.items()
        if not part.store.private or name in named[part.store.alias]
    ]
    total, done = sum(file.size for _store, _name, file in wanted), 0
    progress.step(
        ngettext("Writing %(count)d file (%(size)s) …", "Writing %(count)d files (%(size)s) …", len(wanted))
        % {"count": len(wanted), "size": filesizeformat(total)}
    )
    written: list[StoredFile] = []
    for store, name, file in wanted:
        try:
            stream = file.path.open("rb")
        except FileNotFoundError:
            continue
        member = name_file_member(storage=store.alias, name=name)
        with stream:
            size, sha256 = writer.add(member, read_chunks(stream), packed=is_packed(name))
        written.append(StoredFile(member=member, size=size, sha256=sha256, storage=store.alias, name=name))
        done += size
        progress.tick(done, of=total)
    there = {f"{file.storage}/{file.name}" for file in written}
    missing = sorted({f"{alias}/{name}" for alias, names in named.items() for name in names} - there)
    _tell_of_left_files(held, named, progress)
    return written, missing


def _tell_of_left_files(held: list[HeldFiles], named: Found, progress: Progress) -> None:
    for part in held:
        if not part.linked:
            progress.warn(
                _(
                    "The disk of %(folder)s knows no links, so files that were deleted while the backup ran may be "
                    "missing in it."
                )
                % {"folder": part.store.root}
            )
        for name in part.unusable:
            progress.warn(_("The file %(name)s has a name that no backup can hold.") % {"name": repr(name)})
        left = len(set(part.files) - named[part.store.alias]) if part.store.private else 0
        if left:
            progress.say(
                ngettext(
                    "%(count)d private file belongs to no row and was left out, since nobody could ever erase it.",
                    "%(count)d private files belong to no row and were left out, since nobody could ever erase them.",
                    left,
                )
                % {"count": left}
            )


def _tell_of_missing(missing: list[str], progress: Progress) -> None:
    if missing:
        progress.warn(
            ngettext(
                "%(count)d file that the database names is not there: %(names)s.",
                "%(count)d files that the database names are not there: %(names)s.",
                len(missing),
            )
            % {"count": len(missing), "names": ", ".join(missing[:20]) + (" …" if len(missing) > 20 else "")}
        )
