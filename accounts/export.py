"""*My data*: what every floor holds about a person, gathered for the screen and for the download."""

from __future__ import annotations

import io
import json
import re
import tempfile
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from django.template.loader import render_to_string
from django.utils import formats, timezone, translation
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from accounts.mail import describe_site
from accounts.models import Subject
from core import clock
from core.extensions import PersonalRecords, personal_data

COPY_BYTES = 64 * 1024


def gather_records(*, subject_id: uuid.UUID, language: str) -> list[PersonalRecords]:
    """Everything held about a person, floor by floor, in the order of the floors from the lowest up."""
    answers = [holder.export(subject_id=subject_id, language=language) for holder in personal_data]
    return [records for answer in reversed(answers) for records in answer]


@dataclass(frozen=True, slots=True)
class Shown:
    """Records as a reader sees them: the labels, and for each row as many words; columns with nothing are left out."""

    labels: list[str]
    rows: list[list[tuple[str, str]]]


def describe_rows(records: PersonalRecords, *, limit: int | None = None) -> Shown:
    """The rows in words, in the language in force; each cell with its label, for narrow screens."""
    rows = list(records.rows[:limit])
    labels = dict(records.labels) or {key: key.replace("_", " ").capitalize() for row in rows for key in row}
    table = [{key: describe_value(row.get(key)) for key in labels} for row in rows]
    used = [key for key in labels if any(row[key] for row in table)]
    return Shown(
        labels=[str(labels[key]) for key in used],
        rows=[[(str(labels[key]), row[key]) for key in used] for row in table],
    )


def describe_value(value: Any) -> str:
    """A JSON value as a person reads it: moments in their time zone, yes and no, lists with commas."""
    match value:
        case None | "":
            return ""
        case bool():
            return _("yes") if value else _("no")
        case list() | tuple():
            return ", ".join(filter(None, (describe_value(item) for item in value)))
        case dict():
            return ", ".join(
                f"{key}: {describe_value(item)}" for key, item in value.items() if item not in (None, "")
            )
        case datetime():
            return _say_moment(value)
        case str():
            return _say_text(value)
    return formats.localize(value) if isinstance(value, int | float) else str(value)


def _say_text(value: str) -> str:
    if re.match(r"\d{4}-\d\d-\d\d", value):
        try:
            if len(value) == 10 and (day := parse_date(value)):
                return formats.date_format(day, "DATE_FORMAT")
            if (moment := parse_datetime(value)) and timezone.is_aware(moment):
                return _say_moment(moment)
        except ValueError:
            return value
    return value


def _say_moment(moment: datetime) -> str:
    return formats.date_format(timezone.localtime(moment), "DATETIME_FORMAT")


def write_archive(*, subject: Subject, language: str) -> IO[bytes]:
    """A ZIP of everything held about a person: ``README.txt``, ``data/<name>.json``, ``files/<name>/…``.

    Written to a temporary file, which goes when it is closed; no file is held in memory whole.
    """
    with translation.override(language):
        records = gather_records(subject_id=subject.pk, language=language)
        target = tempfile.TemporaryFile()  # noqa: SIM115
        with zipfile.ZipFile(target, "w", compression=zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("README.txt", _write_readme(records, subject=subject, language=language))
            taken: set[str] = set()
            for part in records:
                folder = _free_name(_plain_name(part.name), taken)
                archive.writestr(f"data/{folder}.json", _write_json(part))
                names: set[str] = set()
                for name, file in part.files:
                    _copy_file(archive, f"files/{folder}/{_free_name(_plain_name(name), names)}", file)
    target.seek(0, io.SEEK_SET)
    return target


def _write_readme(records: Sequence[PersonalRecords], *, subject: Subject, language: str) -> str:
    return render_to_string(
        "accounts/data_readme.txt",
        {"records": records, "subject": subject, "made": clock.now(), **describe_site(language)},
    )


def _write_json(part: PersonalRecords) -> str:
    body = {
        "title": str(part.title),
        "retention": str(part.retention),
        "labels": {key: str(label) for key, label in part.labels.items()},
        "rows": list(part.rows),
    }
    return json.dumps(body, ensure_ascii=False, indent=2, default=str) + "\n"


def _copy_file(archive: zipfile.ZipFile, name: str, file: Any) -> None:
    try:
        source = file.open("rb")
    except FileNotFoundError:
        # The row is there and the file is not: better said than left out.
        archive.writestr(f"{name}.missing.txt", _("This file is on record but could not be found.") + "\n")
        return
    with source, archive.open(name, "w") as copy:
        while block := source.read(COPY_BYTES):
            copy.write(block)


def _plain_name(name: str) -> str:
    """A name that leads nowhere else when the archive is unpacked."""
    return re.sub(r"[^\w. ()-]+", "_", name).strip(". ") or "file"


def _free_name(name: str, taken: set[str]) -> str:
    free, number = name, 2
    while free.lower() in taken:
        free, number = f"{number}-{name}", number + 1
    taken.add(free.lower())
    return free
