"""The issuer's keys: made here, named here, and sealed before they leave memory.

Two kinds sign: an Ed25519 key signs Open Badges credentials and status lists, an X.509 identity signs PDF files. The
database holds the private half of either only *sealed*: encrypted with AES-256-GCM under the installation's
key-encryption key, which comes from the environment or a file and never stands in the database. The seal is bound to
the public half, so that a sealed key moved to another row does not open.

Nothing here reads settings, clocks or tables.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519_PUBLIC = b"\xed\x01"  # multicodec 0xed as a varint
_SEAL_FORMAT = b"\x01"
_NONCE_BYTES = 12
_KEY_ID_BYTES = 8
# RFC 9336: the certificate signs documents.
_DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")


class KeyMaterialError(Exception):
    """A key cannot be read, opened or used; the message says which and why, and never holds key material."""


# -- Base 58 and Multikey ---------------------------------------------------------------------------------------------


def encode_base58(data: bytes) -> str:
    """Base58 in Bitcoin's alphabet, as multibase prefix `z` means."""
    number = int.from_bytes(data, "big")
    text = ""
    while number:
        number, rest = divmod(number, 58)
        text = _BASE58[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def decode_base58(text: str) -> bytes:
    """The bytes of a Base58 text; raises KeyMaterialError for a character outside the alphabet."""
    number = 0
    for character in text:
        place = _BASE58.find(character)
        if place < 0:
            raise KeyMaterialError("not Base58")
        number = number * 58 + place
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode_multikey(public_key: bytes) -> str:
    """An Ed25519 public key (32 bytes) as a Multikey, `z6Mk…`."""
    if len(public_key) != 32:
        raise KeyMaterialError("an Ed25519 public key has 32 bytes")
    return "z" + encode_base58(_ED25519_PUBLIC + public_key)


def decode_multikey(multikey: str) -> bytes:
    """The 32 bytes of an Ed25519 Multikey."""
    if not multikey.startswith("z") or len(multikey) > 64:
        raise KeyMaterialError("not a Multikey in Base58")
    data = decode_base58(multikey[1:])
    if not data.startswith(_ED25519_PUBLIC) or len(data) != 34:
        raise KeyMaterialError("not an Ed25519 Multikey")
    return data[2:]


# -- The key that signs credentials -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CredentialKey:
    """An Ed25519 key pair. `seed` is the private half: seal it before storing it."""

    seed: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> CredentialKey:
        return cls(seed=secrets.token_bytes(32))

    def __post_init__(self) -> None:
        if len(self.seed) != 32:
            raise KeyMaterialError("an Ed25519 seed has 32 bytes")

    @property
    def public_key(self) -> bytes:
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    @property
    def multikey(self) -> str:
        return encode_multikey(self.public_key)

    def sign(self, data: bytes) -> bytes:
        """The 64 bytes of the signature."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(data)


def verify_signature(*, public_key: bytes, signature: bytes, data: bytes) -> bool:
    """Whether an Ed25519 signature is of that key and that data."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


# -- Sealing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyEncryptionKey:
    """The 32 bytes under which private keys are sealed."""

    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> KeyEncryptionKey:
        return cls(secret=secrets.token_bytes(32))

    @classmethod
    def from_text(cls, text: str) -> KeyEncryptionKey:
        """Reads 32 bytes written as URL-safe Base64 (43 or 44 characters)."""
        try:
            return cls(secret=base64.urlsafe_b64decode(text.strip().rstrip("=") + "="))
        except (binascii.Error, ValueError) as error:
            raise KeyMaterialError("a key-encryption key is 32 bytes in URL-safe Base64") from error

    def __post_init__(self) -> None:
        if len(self.secret) != 32:
            raise KeyMaterialError("a key-encryption key is 32 bytes in URL-safe Base64")

    @property
    def id(self) -> bytes:
        """Eight bytes that name the key without giving it away."""
        return hashlib.sha256(b"key-encryption-key\0" + self.secret).digest()[:_KEY_ID_BYTES]

    def to_text(self) -> str:
        return base64.urlsafe_b64encode(self.secret).decode("ascii").rstrip("=")


@dataclass(frozen=True, slots=True)
class Keyring:
    """The key-encryption keys of an installation: the first one seals, every one opens."""

    keys: tuple[KeyEncryptionKey, ...]

    def __post_init__(self) -> None:
        if not self.keys:
            raise KeyMaterialError("a keyring needs a key")

    def seal(self, secret: bytes, *, bound_to: str) -> bytes:
        """The secret encrypted: format (1 byte), key id (8), nonce (12), ciphertext and tag.

        `bound_to` is the public half; opening asks for the same text.
        """
        key = self.keys[0]
        header = _SEAL_FORMAT + key.id
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + AESGCM(key.secret).encrypt(nonce, secret, header + bound_to.encode())

    def open(self, sealed: bytes, *, bound_to: str) -> bytes:
        """The secret again; raises KeyMaterialError if no key of the ring opens it or anything was changed."""
        sealed = bytes(sealed)
        header, rest = sealed[: 1 + _KEY_ID_BYTES], sealed[1 + _KEY_ID_BYTES :]
        if header[:1] != _SEAL_FORMAT or len(rest) <= _NONCE_BYTES:
            raise KeyMaterialError("this is not a sealed key")
        for key in self.keys:
            if key.id == header[1:]:
                try:
                    return AESGCM(key.secret).decrypt(
                        rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], header + bound_to.encode()
                    )
                except InvalidTag as error:
                    raise KeyMaterialError(
                        "the sealed key was changed, or belongs to another public key"
                    ) from error
        raise KeyMaterialError("the key-encryption key this was sealed under is not in the keyring")

    def reseal(self, sealed: bytes, *, bound_to: str) -> bytes:
        """The same secret under the ring's first key: for changing the key-encryption key."""
        return self.seal(self.open(sealed, bound_to=bound_to), bound_to=bound_to)


# -- The identity that signs PDF files --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PdfIdentity:
    """An X.509 certificate and its private key (PKCS #8, DER, unencrypted: seal it before storing it)."""

    certificate_pem: str
    private_key: bytes = field(repr=False)

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate_pem.encode("ascii"))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate in hexadecimal, as viewers show it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def __post_init__(self) -> None:
        key = serialization.load_der_private_key(self.private_key, password=None)
        public = serialization.PublicFormat.SubjectPublicKeyInfo
        der = serialization.Encoding.DER
        if key.public_key().public_bytes(der, public) != self.certificate.public_key().public_bytes(
            der, public
        ):
            raise KeyMaterialError("the private key is not that of the certificate")


def generate_pdf_identity(
    *, common_name: str, organization: str, url: str, now: dt.datetime, years: int = 10
) -> PdfIdentity:
    """A self-signed identity for signing PDF files: ECDSA on P-256, which pyHanko, Poppler and Acrobat verify.

    Names are cut at X.509's 64 characters. Nobody vouches for a self-signed certificate but the site that publishes it:
    an organization with a document-signing certificate brings its own (`read_pdf_identity`).
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    # A day back, for verifiers whose clock is behind.
    start = now - dt.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=365 * years + years // 4 + 1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([_DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(url)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return PdfIdentity(
        certificate_pem=certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"),
        private_key=key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def read_pdf_identity(data: bytes, *, passphrase: str = "") -> PdfIdentity:
    """An identity bought elsewhere: PKCS #12, or PEM that holds certificate and private key.

    Raises KeyMaterialError if the passphrase is wrong or a half is missing.
    """
    password = passphrase.encode() or None
    try:
        if b"-----BEGIN" in data:
            certificate = x509.load_pem_x509_certificate(data)
            key = serialization.load_pem_private_key(data, password)
        else:
            loaded, found, _chain = pkcs12.load_key_and_certificates(data, password)
            if loaded is None or found is None:
                raise KeyMaterialError("the file holds no certificate with its private key")
            key, certificate = loaded, found
    except (ValueError, TypeError) as error:
        raise KeyMaterialError(
            "the signing identity cannot be opened; its passphrase may be wrong"
        ) from error
    return PdfIdentity(
        certificate_pem=certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"),
        private_key=key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


# -- Secret files -----------------------------------------------------------------------------------------------------


def read_or_create_secret(path: Path, *, make: Callable[[], str]) -> str:
    """The text of a secret file that only its owner can read; made on first use.

    Two processes that start together get the same secret: the file appears whole, under its name, once. A file whose
    mode was loosened since is closed again.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(make() + "\n")
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return path.read_text(encoding="ascii").strip()
