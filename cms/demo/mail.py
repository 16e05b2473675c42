"""The e-mails of the demo, read from the folder that the file backend writes them to."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

from django.conf import settings

SEPARATOR: Final = re.compile(rb"\n-{79}\n")
ADDRESS: Final = re.compile(r"https?://[^\s<>\"]+")


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail. `name` finds it again; `links` are the addresses of this site in it."""

    name: str
    subject: str
    to: str
    sent_at: datetime
    text: str
    links: tuple[str, ...]


def list_messages() -> list[Mail]:
    """Every message in the folder, the newest first."""
    folder = Path(settings.EMAIL_FILE_PATH)
    found: dict[str, Mail] = {}
    for path in folder.glob("*.log") if folder.is_dir() else ():
        for raw in SEPARATOR.split(path.read_bytes()):
            if raw.strip():
                mail = _read(raw.strip() + b"\n")
                found[mail.name] = mail
    return sorted(found.values(), key=lambda mail: mail.sent_at, reverse=True)


def read_message(name: str) -> Mail | None:
    """The message with that name, or None."""
    return next((mail for mail in list_messages() if mail.name == name), None)


def _read(raw: bytes) -> Mail:
    message = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    body = message.get_body(preferencelist=("plain",))
    text = body.get_content() if body else ""
    return Mail(
        name=hashlib.sha256(raw).hexdigest()[:16],
        subject=str(message["Subject"] or ""),
        to=str(message["To"] or ""),
        sent_at=parsedate_to_datetime(str(message["Date"])),
        text=text,
        links=tuple(
            link.rstrip(".,)")[len(settings.PUBLIC_ORIGIN) :]
            for link in ADDRESS.findall(text)
            if link.startswith(settings.PUBLIC_ORIGIN)
        ),
    )
