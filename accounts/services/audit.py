"""The audit log: what staff did, and whose records they opened."""

from __future__ import annotations

from typing import Any

from accounts.models import AuditEntry, Subject
from core.request_id import current_request_id


def record_audit(
    *,
    actor: Subject | None,
    action: str,
    subject: Subject | None = None,
    target: Any = None,
    details: dict[str, Any] | None = None,
) -> AuditEntry:
    """Log what staff did and whose records they opened; codes and keys only."""
    return AuditEntry.objects.create(
        actor=actor,
        action=action,
        subject=subject,
        target_type=target._meta.label_lower if target is not None else "",
        target_id=str(target.pk) if target is not None else "",
        details=details or {},
        request_id=current_request_id.get(),
    )
