"""Writes about certificates: issuing, their status, their files, and what a holder decides. Import from here."""

from certificates.services.attest import attest_certificate
from certificates.services.files import draw_pictures, print_certificate
from certificates.services.issue import NotEarned, issue_certificate
from certificates.services.repair import issue_missing, print_missing, sign_anew
from certificates.services.sharing import (
    CONSENT_WORDING,
    close_correction_request,
    close_share_link,
    make_share_link,
    request_correction,
    show_publicly,
    stop_showing,
)
from certificates.services.status import (
    CORRECTING,
    REINSTATING,
    REVOKING,
    Correction,
    NotNow,
    check_holder_name,
    reinstate_certificate,
    revoke_certificate,
    supersede_certificate,
    withdraw_erased,
)

__all__ = [
    "CONSENT_WORDING",
    "CORRECTING",
    "REINSTATING",
    "REVOKING",
    "Correction",
    "NotEarned",
    "NotNow",
    "attest_certificate",
    "check_holder_name",
    "close_correction_request",
    "close_share_link",
    "draw_pictures",
    "issue_certificate",
    "issue_missing",
    "make_share_link",
    "print_certificate",
    "print_missing",
    "reinstate_certificate",
    "request_correction",
    "revoke_certificate",
    "show_publicly",
    "sign_anew",
    "stop_showing",
    "supersede_certificate",
    "withdraw_erased",
]
