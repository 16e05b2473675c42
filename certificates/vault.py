"""The installation's sealing keys: where the settings meet `keys`.

`CERTIFICATE_SEALING_KEYS` holds them in production, so that every process of an installation opens what another one
sealed. On one's own machine a key is made at first use, in a file beside the data that only its owner can read.
"""

from __future__ import annotations

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from certificates.keys import KeyEncryptionKey, KeyMaterialError, Keyring, read_or_create_secret

SETTING = "CERTIFICATE_SEALING_KEYS"
_HOW = (
    f"Set the environment variable {SETTING} (or {SETTING}_FILE) to 32 random bytes in URL-safe Base64; "
    "python -c 'import base64, secrets; print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())' makes one. "
    "Keep a copy apart from the backups: without it the issuer's private keys in them cannot be opened."
)


def get_keyring() -> Keyring:
    """The keys that seal and open the issuer's private keys; the first one given seals.

    Raises ImproperlyConfigured where a production installation has none, or one that cannot be read.
    """
    texts: list[str] = settings.CERTIFICATE_SEALING_KEYS
    if not texts and settings.OWN_MACHINE:
        path = settings.DATA_DIR / "secrets" / "certificate_sealing_key"
        texts = [read_or_create_secret(path, make=lambda: KeyEncryptionKey.generate().to_text())]
    if not texts:
        raise ImproperlyConfigured(f"There is no key to seal the certificates' signing keys with. {_HOW}")
    try:
        return Keyring(tuple(KeyEncryptionKey.from_text(text) for text in texts))
    except KeyMaterialError as error:
        raise ImproperlyConfigured(f"{SETTING} cannot be read: {error}. {_HOW}") from error


def find_keyring() -> Keyring | None:
    """The keys as `get_keyring` gives them, or None where there are none: none is made."""
    made = settings.DATA_DIR / "secrets" / "certificate_sealing_key"
    if not settings.CERTIFICATE_SEALING_KEYS and not (settings.OWN_MACHINE and made.exists()):
        return None
    return get_keyring()


@register
def check_sealing_keys(**_options: object) -> list[CheckMessage]:
    """Says before the first certificate, and not at it, that the installation cannot sign."""
    try:
        if settings.CERTIFICATE_SEALING_KEYS or not settings.OWN_MACHINE:
            get_keyring()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="certificates.E001")]
    return []
