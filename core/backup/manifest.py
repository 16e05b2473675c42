"""What a backup says of itself: `manifest.json`, the last member of the file."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

FORMAT: Final = "safer-communities-backup/1"
MANIFEST: Final = "manifest.json"
# A name as long as file systems take, and as PostgreSQL does.
LONGEST_PART: Final = 255
LONGEST_PATH: Final = 4096

Column = tuple[str, str]


class ManifestError(ValueError):
    """A document that is no manifest of ours."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """One member of the file, with the digest and size of what is in it, unpacked."""

    member: str
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class TableData(Member):
    """A table's rows in PostgreSQL's text format of COPY; its columns with their types."""

    table: str
    columns: tuple[Column, ...]
    rows: int


@dataclass(frozen=True, kw_only=True)
class StoredFile(Member):
    """A file of a storage, by its name there."""

    storage: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """Where the numbers of a column go on."""

    table: str
    column: str
    next_value: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything about a backup but the data. `notes` belongs to the floors above.

    `server_version` is PostgreSQL's number (180004). `left_out` are tables whose rows are not kept, `missing` are
    files that rows name and that were not there, each as ``storage/name``.
    """

    id: uuid.UUID
    made_at: datetime
    software: str
    origin: str
    demo: bool
    server_version: int
    migrations: tuple[tuple[str, str], ...]
    tables: tuple[TableData, ...]
    sequences: tuple[Sequence, ...]
    files: tuple[StoredFile, ...]
    left_out: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def members(self) -> dict[str, Member]:
        return {part.member: part for part in (*self.tables, *self.files)}

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def server_major(self) -> int:
        return self.server_version // 10_000

    def to_json(self) -> bytes:
        document = {
            "format": FORMAT,
            **{name: getattr(self, name) for name in ("software", "origin", "demo", "server_version")},
            "id": str(self.id),
            "made_at": self.made_at.isoformat(),
            "migrations": self.migrations,
            "tables": [asdict(table) for table in self.tables],
            "sequences": [asdict(sequence) for sequence in self.sequences],
            "files": [asdict(file) for file in self.files],
            "left_out": self.left_out,
            "missing": self.missing,
            "notes": self.notes,
        }
        return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """Reads what `to_json` wrote; raises ManifestError for anything else, and for names that are not safe."""
        try:
            document = json.loads(text)
            if document["format"] != FORMAT:
                raise ManifestError(f"The format is {document['format']!r}, not {FORMAT!r}.")
            manifest = cls(
                id=uuid.UUID(document["id"]),
                made_at=datetime.fromisoformat(document["made_at"]),
                software=_text(document["software"]),
                origin=_text(document["origin"]),
                demo=bool(document["demo"]),
                server_version=int(document["server_version"]),
                migrations=tuple((_text(app), _text(name)) for app, name in document["migrations"]),
                tables=tuple(_read_table(row) for row in document["tables"]),
                sequences=tuple(_read_sequence(row) for row in document["sequences"]),
                files=tuple(_read_file(row) for row in document["files"]),
                left_out=tuple(_text(name) for name in document["left_out"]),
                missing=tuple(_text(name) for name in document["missing"]),
                notes=dict(document["notes"]),
            )
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ManifestError(str(error)) from error
        if len(manifest.members) != len(manifest.tables) + len(manifest.files):
            raise ManifestError("A member is listed twice.")
        return manifest


def name_table_member(table: str) -> str:
    return f"database/{table}.copy"


def name_file_member(*, storage: str, name: str) -> str:
    return f"files/{storage}/{name}"


def is_safe_path(path: str) -> bool:
    """Whether a path stays under the folder it is joined to, on any system, and is a file's."""
    try:
        length = len(path.encode())
        parts = path.split("/")
        return (
            length <= LONGEST_PATH
            and "\\" not in path
            and not any(ord(character) < 32 or ord(character) == 127 for character in path)
            and not any(part in {"", ".", ".."} or len(part.encode()) > LONGEST_PART for part in parts)
            and not path.startswith((".backup-", ".restore-"))
        )
    except UnicodeEncodeError:
        return False


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ManifestError(f"{value!r} is no text.")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ManifestError(f"{value!r} is no count.")
    return value


def _digest(value: Any) -> str:
    if len(bytes.fromhex(_text(value))) != 32:
        raise ManifestError(f"{value!r} is no SHA-256.")
    return str(value).lower()


def _read_table(row: dict[str, Any]) -> TableData:
    table = _text(row["table"])
    if not is_safe_path(table) or "/" in table or row["member"] != name_table_member(table):
        raise ManifestError(f"{table!r} is no name of a table.")
    return TableData(
        member=row["member"],
        size=_count(row["size"]),
        sha256=_digest(row["sha256"]),
        table=table,
        columns=tuple((_text(name), _text(kind)) for name, kind in row["columns"]),
        rows=_count(row["rows"]),
    )


def _read_file(row: dict[str, Any]) -> StoredFile:
    storage, name = _text(row["storage"]), _text(row["name"])
    if not is_safe_path(storage) or "/" in storage or not is_safe_path(name):
        raise ManifestError(f"{storage!r}, {name!r} is no place for a file.")
    if row["member"] != name_file_member(storage=storage, name=name):
        raise ManifestError(f"{row['member']!r} is not the member of {name!r}.")
    return StoredFile(
        member=row["member"],
        size=_count(row["size"]),
        sha256=_digest(row["sha256"]),
        storage=storage,
        name=name,
    )


def _read_sequence(row: dict[str, Any]) -> Sequence:
    return Sequence(
        table=_text(row["table"]), column=_text(row["column"]), next_value=_count(row["next_value"])
    )
