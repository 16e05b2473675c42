"""Keys are named as the standards say, and leave memory sealed only."""

from __future__ import annotations

import datetime as dt
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from certificates import keys, vault
from certificates.keys import CredentialKey, KeyEncryptionKey, KeyMaterialError, Keyring

NOW = dt.datetime(2026, 10, 9, 12, tzinfo=dt.UTC)


def make_identity() -> keys.PdfIdentity:
    return keys.generate_pdf_identity(
        common_name="Certificates", organization="Réseau d’essai", url="https://learn.example", now=NOW
    )


@given(st.binary(max_size=64))
def test_base58_reads_back(data: bytes) -> None:
    assert keys.decode_base58(keys.encode_base58(data)) == data


def test_a_multikey_is_the_one_the_standard_gives_for_its_key() -> None:
    # The key pair of the eddsa-rdfc-2022 test vector of the W3C.
    seed = keys.decode_base58("z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"[1:])[2:]
    assert CredentialKey(seed=seed).multikey == "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"


@given(st.binary(min_size=32, max_size=32))
def test_a_multikey_reads_back(public_key: bytes) -> None:
    multikey = keys.encode_multikey(public_key)
    assert multikey.startswith("z6Mk")
    assert keys.decode_multikey(multikey) == public_key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        "z6Mk",
        "u6MkrJVn",
        "z0OIl",
        "z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc",
        "z" + "1" * 80,
    ],
)
def test_another_text_is_no_multikey(text: str) -> None:
    with pytest.raises(KeyMaterialError):
        keys.decode_multikey(text)


def test_a_key_signs_and_never_shows_its_private_half() -> None:
    key = CredentialKey.generate()
    signature = key.sign(b"facts")
    assert keys.verify_signature(public_key=key.public_key, signature=signature, data=b"facts")
    assert not keys.verify_signature(public_key=key.public_key, signature=signature, data=b"other facts")
    assert not keys.verify_signature(public_key=b"short", signature=signature, data=b"facts")
    assert key.seed.hex() not in repr(key)
    assert str(key.seed) not in repr(key)


@given(st.binary(min_size=1, max_size=300), st.text(max_size=80))
def test_a_sealed_secret_opens_again(secret: bytes, bound_to: str) -> None:
    ring = Keyring((KeyEncryptionKey.generate(),))
    sealed = ring.seal(secret, bound_to=bound_to)
    assert len(secret) < 8 or secret not in sealed
    assert ring.open(memoryview(sealed), bound_to=bound_to) == secret


@given(st.data())
def test_any_changed_byte_of_a_sealed_secret_is_noticed(data: st.DataObject) -> None:
    ring = Keyring((KeyEncryptionKey.generate(),))
    sealed = bytearray(ring.seal(b"thirty-two bytes of a private key", bound_to="z6Mk"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(KeyMaterialError):
        ring.open(bytes(sealed), bound_to="z6Mk")


def test_a_sealed_key_does_not_open_for_another_public_key_or_under_another_ring() -> None:
    ring = Keyring((KeyEncryptionKey.generate(),))
    sealed = ring.seal(b"secret", bound_to="z6MkOne")
    with pytest.raises(KeyMaterialError):
        ring.open(sealed, bound_to="z6MkTwo")
    with pytest.raises(KeyMaterialError):
        Keyring((KeyEncryptionKey.generate(),)).open(sealed, bound_to="z6MkOne")
    with pytest.raises(KeyMaterialError):
        ring.open(b"", bound_to="z6MkOne")


def test_the_key_encryption_key_can_be_changed() -> None:
    old, new = KeyEncryptionKey.generate(), KeyEncryptionKey.generate()
    sealed = Keyring((old,)).seal(b"secret", bound_to="key")
    resealed = Keyring((new, old)).reseal(sealed, bound_to="key")
    assert Keyring((new,)).open(resealed, bound_to="key") == b"secret"


def test_a_key_encryption_key_is_written_as_text_and_hidden_from_logs() -> None:
    key = KeyEncryptionKey.generate()
    assert KeyEncryptionKey.from_text(key.to_text()) == key
    assert KeyEncryptionKey.from_text(key.to_text() + "=\n") == key
    assert key.to_text() not in repr(key)
    for text in ["", "short", "ä" * 43, "A" * 60]:
        with pytest.raises(KeyMaterialError):
            KeyEncryptionKey.from_text(text)


def test_a_pdf_identity_says_what_it_is_for() -> None:
    identity = make_identity()
    certificate = identity.certificate
    assert certificate.not_valid_before_utc < NOW < certificate.not_valid_after_utc
    assert certificate.not_valid_after_utc.year == 2036
    assert "Réseau d’essai" in certificate.subject.rfc4514_string()
    assert len(identity.fingerprint) == 64
    assert identity.private_key.hex() not in repr(identity)


def test_a_certificate_with_another_key_is_no_identity() -> None:
    with pytest.raises(KeyMaterialError):
        keys.PdfIdentity(
            certificate_pem=make_identity().certificate_pem, private_key=make_identity().private_key
        )


def test_an_identity_bought_elsewhere_opens_with_its_passphrase_only() -> None:
    identity = make_identity()
    key = serialization.load_der_private_key(identity.private_key, None)
    closed = serialization.BestAvailableEncryption(b"right")
    bundle = pkcs12.serialize_key_and_certificates(b"id", key, identity.certificate, None, closed)
    pem = identity.certificate_pem.encode() + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, closed
    )
    for data in (bundle, pem):
        assert keys.read_pdf_identity(data, passphrase="right").fingerprint == identity.fingerprint
        for wrong in ("wrong", ""):
            with pytest.raises(KeyMaterialError):
                keys.read_pdf_identity(data, passphrase=wrong)
    for rubbish in (b"", b"rubbish", identity.certificate_pem.encode()):
        with pytest.raises(KeyMaterialError):
            keys.read_pdf_identity(rubbish)


def test_a_secret_file_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key"

    def read(_turn: int) -> str:
        return keys.read_or_create_secret(path, make=lambda: KeyEncryptionKey.generate().to_text())

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(read, range(16)))) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]
    path.chmod(0o644)
    read(0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_installations_keys_come_from_the_settings(settings: Any) -> None:
    first, second = KeyEncryptionKey.generate(), KeyEncryptionKey.generate()
    settings.CERTIFICATE_SEALING_KEYS = [first.to_text(), second.to_text()]
    assert vault.get_keyring().keys == (first, second)
    assert vault.check_sealing_keys() == []


def test_ones_own_machine_keeps_a_key_beside_its_data(settings: Any, tmp_path: Path) -> None:
    settings.CERTIFICATE_SEALING_KEYS = []
    settings.OWN_MACHINE = True
    settings.DATA_DIR = tmp_path
    assert vault.check_sealing_keys() == []
    assert list(tmp_path.iterdir()) == []
    ring = vault.get_keyring()
    assert vault.get_keyring() == ring
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["certificate_sealing_key"]


@pytest.mark.parametrize("texts", [[], ["too short"]])
def test_production_without_a_good_key_says_so_before_the_first_certificate(
    settings: Any, texts: list[str]
) -> None:
    settings.CERTIFICATE_SEALING_KEYS = texts
    settings.OWN_MACHINE = False
    with pytest.raises(ImproperlyConfigured, match="CERTIFICATE_SEALING_KEYS"):
        vault.get_keyring()
    assert [problem.id for problem in vault.check_sealing_keys()] == ["certificates.E001"]
