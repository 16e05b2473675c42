"""A lived-in site to back up, and how to look at all of it: database, files, what a command said."""

from __future__ import annotations

import hashlib
import io
import shutil
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import transaction

from accounts import services
from accounts.models import Consent, PersonalText, Subject
from core.backup import database, files
from core.backup.archive import BackupReader, BackupWriter
from core.backup.manifest import Manifest
from core.backup.schema import load_migrations
from tests import database as databases
from tests.factories.accounts import make_user

WORDS = "Ce que je pense de ma ville, et que personne d’autre ne lit."
PLAN = b"A plan that only its author and her instructor have read."


def run(command: str, *arguments: Any, **options: Any) -> tuple[str, str]:
    """A command of the operator's; what it said on both streams."""
    out, err = io.StringIO(), io.StringIO()
    call_command(
        command, *map(str, arguments), **{"language": "en", **options}, stdout=out, stderr=err, no_color=True
    )
    return out.getvalue(), err.getvalue()


def refuse(match: str, *arguments: Any, command: str = "restore", code: int = 1, **options: Any) -> str:
    """The command refuses with that sentence and status."""
    with pytest.raises(CommandError, match=match) as caught:
        run(command, *arguments, **options)
    assert caught.value.returncode == code
    return str(caught.value)


def read_rows() -> dict[str, list[bytes]]:
    """Every row of every table, in an order of its own."""
    tables = {
        name: columns for name, columns in database.describe_tables().items() if name in database.our_tables()
    }
    with transaction.atomic():
        return {
            name: sorted(b"".join(database.copy_out(name, columns)).splitlines())
            for name, columns in tables.items()
        }


def read_files() -> dict[str, str]:
    return {
        f"{store.alias}/{name}": hashlib.sha256((store.root / name).read_bytes()).hexdigest()
        for store in files.list_stores()
        for name, _state in files.walk(store.root)
    }


def find_words(words: bytes) -> list[str]:
    """Tables and files that hold these words."""
    return [name for name, rows in read_rows().items() if any(words in row for row in rows)] + [
        str(path)
        for store in files.list_stores()
        for path in store.root.rglob("*")
        if path.is_file() and words in path.read_bytes()
    ]


def read_schema() -> list[tuple[Any, ...]]:
    """Constraints, indexes, triggers and rights: what a restore must leave as it was."""
    return database.fetch(
        "SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace UNION ALL "
        "SELECT 'index', tablename::text, indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public' "
        "UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname::text, pg_get_triggerdef(oid) FROM pg_trigger "
        "WHERE NOT tgisinternal UNION ALL "
        "SELECT 'right', oid::regclass::text, relkind::text, relacl::text FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') ORDER BY 1, 2, 3, 4"
    )


def read_upload(text: PersonalText) -> bytes:
    with text.file.storage.open(text.file.name, "rb") as file:
        return bytes(file.read())


def wipe_files() -> None:
    for store in files.list_stores():
        shutil.rmtree(store.root, ignore_errors=True)
        store.root.mkdir(parents=True)


def fill_site(seeded_template: str) -> Subject:
    """The demo with its files, and a learner with words and a file of her own."""
    databases.use_copy(seeded_template)
    wipe_files()
    databases.copy_seeded_files(seeded_template)
    # What earlier tests had left when the template was built.
    stores = files.list_stores()
    named = files.find_references(stores)
    for store in stores:
        for name, _state in list(files.walk(store.root)):
            if store.private and name not in named[store.alias]:
                store.storage.delete(name)
    learner = make_user(email="lea@backup.example", name="Léa Sauvegarde")
    subject = services.subject_of(learner)
    services.save_text(subject=subject, kind=PersonalText.Kind.REFLECTION, text=WORDS)
    services.save_file(subject=subject, upload=SimpleUploadedFile("plan.txt", PLAN))
    services.give_consent(
        subject=subject, purpose=Consent.Purpose.CERTIFICATE_PUBLIC, wording="Yes.\tTab\\ \n", language="en"
    )
    default_storage.save("images/square.svg", ContentFile(b"<svg/>"))
    return subject


@dataclass
class Kept:
    """The one backup that most tests share, and whose words are in it."""

    source: Path | None = None
    learner: uuid.UUID | None = None
    people: int = 0


def rewrite(source: Path, *, tables: dict[str, bytes] | None = None, **changes: Any) -> Path:
    """The same backup saying something else, or with other rows, under digests that are right."""
    target = source.with_name(f"{uuid.uuid4().hex}.backup")
    with BackupReader(source) as reader, BackupWriter(target, moment=live_moment()) as writer:
        manifest = reader.verify()
        parts = []
        for table in manifest.tables:
            content = (tables or {}).get(table.table, b"".join(reader.read(table)))
            size, sha256 = writer.add(table.member, [content])
            parts.append(replace(table, size=size, sha256=sha256, rows=content.count(b"\n")))
        for file in manifest.files:
            writer.add(file.member, reader.read(file), packed=True)
        writer.finish(replace(manifest, **{"tables": tuple(parts), **changes}))
    return target


def become_later(settings: Any) -> None:
    """The software gets one migration more, as a later version of it would have."""
    settings.MIGRATION_MODULES = {"django_htmx": "tests.cms.later.migrations"}
    load_migrations.cache_clear()


def live_moment() -> Any:
    from core import clock

    return clock.now()


def read_manifest(source: Path) -> Manifest:
    with BackupReader(source) as reader:
        return reader.verify()


def read_manifest_rows(folder: Path) -> int:
    run("backup", folder / "owner.backup")
    return read_manifest(folder / "owner.backup").rows
