"""The proof after a restore: projections, editions, certificates, files and keys."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from certificates.audit import Audit, audit_certificates, report_on_keys
from certificates.models import CertificateContent
from cms.backups.make import list_edition_digests, name_secret_key
from core.backup.files import find_references, list_stores
from core.backup.manifest import Manifest
from core.backup.progress import Progress
from lms.projections import rebuild


@dataclass
class Findings:
    """`faults`: something is not as it was when the backup was made. `remarks`: what an operator has to know."""

    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def check_restored(*, manifest: Manifest, progress: Progress) -> Findings:
    """Rebuild the projections and check everything that can be checked. Changes nothing else."""
    found = Findings()
    progress.step(_("Rebuilding and checking the projections …"))
    _check_projections(found)
    progress.step(_("Checking the digests of the editions …"))
    _check_editions(manifest, found)
    progress.step(_("Checking the files …"))
    _check_files(manifest, found)
    progress.step(_("Checking every certificate, its signature and its PDFs …"))
    _check_certificates(manifest, found, progress)
    _check_keys(manifest, found)
    return found


def _check_projections(found: Findings) -> None:
    mended = len(rebuild(check=True))
    if not mended:
        return
    rebuild(check=False)
    found.remarks.append(
        ngettext(
            "%(count)d row of the projections was not what its ledger gives, and was mended.",
            "%(count)d rows of the projections were not what their ledgers give, and were mended.",
            mended,
        )
        % {"count": mended}
    )
    if left := len(rebuild(check=True)):
        found.faults.append(
            ngettext(
                "%(count)d row of the projections differs from its ledger.",
                "%(count)d rows of the projections differ from their ledgers.",
                left,
            )
            % {"count": left}
        )


def _check_editions(manifest: Manifest, found: Findings) -> None:
    promised, here = set(manifest.notes.get("editions", [])), set(list_edition_digests())
    found.faults += [
        _("The edition “%(line)s” is missing or differs.") % {"line": line} for line in promised - here
    ]
    found.faults += [
        _("The edition “%(line)s” was not in the backup.") % {"line": line} for line in here - promised
    ]


def _check_files(manifest: Manifest, found: Findings) -> None:
    known = set(manifest.missing)
    stores = list_stores()
    named = find_references(stores)
    absent = {
        f"{store.alias}/{name}"
        for store in stores
        for name in named[store.alias]
        if not store.storage.exists(name)
    }
    for name in sorted(absent - known):
        found.faults.append(_("The file %(name)s, which the database names, is not there.") % {"name": name})
    if lost := len(absent & known):
        found.remarks.append(
            ngettext(
                "%(count)d file was missing already when the backup was made.",
                "%(count)d files were missing already when the backup was made.",
                lost,
            )
            % {"count": lost}
        )


def _check_certificates(manifest: Manifest, found: Findings, progress: Progress) -> None:
    total = CertificateContent.objects.count()
    audit = audit_certificates(origin=manifest.origin, tick=progress.counter(total))
    found.faults += audit.faults
    progress.say(_describe(audit))
    if audit.to_sign or audit.to_print:
        found.remarks.append(
            _("Some certificates wait for a new signature or for their PDF. Run “manage.py reconcile”.")
        )
    if total and manifest.origin != settings.PUBLIC_ORIGIN:
        found.remarks.append(
            _(
                "The certificates were issued under %(theirs)s, and PUBLIC_ORIGIN is %(ours)s here: the pages of this "
                "site will say that their signatures do not stand until it is set to the former."
            )
            % {"theirs": manifest.origin, "ours": settings.PUBLIC_ORIGIN}
        )


def _describe(audit: Audit) -> str:
    return _(
        "Certificates checked: %(checked)d. Signed PDFs: %(pdfs)d. Certificates of erased people: %(erased)d. "
        "Faults: %(faults)d."
    ) % {
        "checked": audit.checked,
        "pdfs": audit.pdfs,
        "erased": audit.erased,
        "faults": len(audit.faults),
    }


def _check_keys(manifest: Manifest, found: Findings) -> None:
    """The keys that no backup holds."""
    keys = report_on_keys()
    if keys.closed:
        found.remarks.append(
            _(
                "CERTIFICATE_SEALING_KEYS is not the key of the backup, so that the site can sign neither new "
                "certificates nor the status list; certificates that were issued stand. Set it to the old key, or "
                "make new signing keys with “manage.py rotate_signing_key”, for both kinds."
            )
            if keys.has_keyring
            else _(
                "CERTIFICATE_SEALING_KEYS is missing, so that the site can sign neither new certificates nor the "
                "status list; certificates that were issued stand. Set it to the key that was kept apart from the "
                "backup (on one's own machine: bring the file secrets/certificate_sealing_key), or make new signing "
                "keys with “manage.py rotate_signing_key”, for both kinds."
            )
        )
    ours = {name_secret_key(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)}
    if manifest.notes.get("secret_key") not in ours:
        found.remarks.append(
            _(
                "SECRET_KEY is not that of the backup: second factors that were set up there do not open here. Give "
                "the old key in SECRET_KEY_FALLBACKS, or reset them with “manage.py reset_second_factor”."
            )
        )
