"""Why a backup is not made or not restored."""

from __future__ import annotations

from core.errors import DomainError


class BackupRefused(DomainError):
    """It cannot go on; the sentence says why, what was kept and what to do."""

    code = "backup_refused"


class DamagedBackup(BackupRefused):
    """The file is not what a backup wrote."""

    code = "backup_damaged"
