"""Credentials say what certificates say, and are signed so that others can tell."""

from __future__ import annotations

import copy
import datetime as dt
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates import keys
from certificates.facts import CertificateFacts
from certificates.openbadges import credential, did, loader, proof, status_list
from core.kept import Kept
from tests.certificates.examples import make_facts, make_partner

DATA = Path(__file__).parent / "data"
VECTOR = DATA / "eddsa-rdfc-2022"
NOW = dt.datetime(2026, 10, 9, 15, 30, tzinfo=dt.UTC)
ORIGIN = "https://learn.example"
DID = did.make_did(ORIGIN)
KEY = keys.CredentialKey(seed=bytes(range(32)))
METHOD = did.make_verification_method(DID, KEY.multikey)
DID_DOCUMENT = did.build_did_document(did=DID, issuer_keys=[did.IssuerKey(KEY.multikey)])
LIST_URL = f"{ORIGIN}/certificates/status/1"
INDEX = 94567


def read(name: str) -> Any:
    return json.loads((VECTOR / name).read_text(encoding="utf-8"))


def load_with_examples(url: str, options: dict[str, Any] | None = None) -> dict[str, Any]:
    if url == "https://www.w3.org/ns/credentials/examples/v2":
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": read("examples-v2.jsonld"),
        }
    return loader.load_document(url, options)


def build(facts: CertificateFacts | None = None, *identities: credential.HolderIdentity) -> dict[str, Any]:
    facts = facts or make_facts()
    return credential.build_credential(
        facts=facts,
        addresses=credential.CredentialAddresses(
            credential=f"{ORIGIN}/certificates/0198a3f0-6c1e-7b2a-9d11-3f2b8c5e7a10/credential.json",
            achievement=f"{ORIGIN}/achievements/0198a3f0-6c1e-7b2a-9d11-3f2b8c5e7a11",
            did=DID,
            status_list=LIST_URL,
            status_index=INDEX,
        ),
        identities=identities
        or [credential.HolderIdentity.hidden(identity_type="name", value=facts.holder_name, salt="salt")],
        issued_at=NOW,
    )


def sign(document: dict[str, Any], key: keys.CredentialKey = KEY, method: str = METHOD) -> dict[str, Any]:
    return proof.add_proof(document, key=key, verification_method=method, created=NOW)


def make_list(*set_bits: int, purpose: status_list.Purpose = "revocation") -> dict[str, Any]:
    return sign(
        status_list.build_status_list_credential(
            url=LIST_URL, issuer=DID, purpose=purpose, set_bits=set_bits, valid_from=NOW
        )
    )


def verify(document: dict[str, Any], **changes: Any) -> credential.Verification:
    arguments: dict[str, Any] = {
        "did_document": DID_DOCUMENT,
        "status_list_credential": make_list(),
        "now": NOW,
        **changes,
    }
    return credential.verify_credential(document, **arguments)


def check(
    document: dict[str, Any],
    multikey: str = KEY.multikey,
    document_loader: proof.DocumentLoader = loader.load_document,
) -> list[bool]:
    """Whether each proof of a document stands for who trusts this key."""
    public_key = keys.decode_multikey(multikey)
    findings = proof.verify_proofs(
        document, find_key=lambda _method: public_key, document_loader=document_loader
    )
    return [finding.stands for finding in findings]


# -- The proof, against the W3C's own example -------------------------------------------------------------------------


def test_canonical_form_hash_and_signature_are_those_of_the_test_vector() -> None:
    unsigned, options, signed = (
        read("unsigned.json"),
        read("proofConfigDataInt.json"),
        read("signedDataInt.json"),
    )
    quads = proof.canonize(unsigned, document_loader=load_with_examples)
    assert quads == (VECTOR / "canonDocDataInt.txt").read_text(encoding="utf-8")
    data = proof.hash_for_signing(unsigned, options, document_loader=load_with_examples)
    assert data.hex() == (VECTOR / "combinedHashDataInt.txt").read_text(encoding="utf-8").strip()
    seed = keys.decode_base58(read("keyPair.json")["privateKeyMultibase"][1:])[2:]
    ours = proof.add_proof(
        unsigned,
        key=keys.CredentialKey(seed=seed),
        verification_method=options["verificationMethod"],
        created=dt.datetime(2023, 2, 24, 23, 36, 38, tzinfo=dt.UTC),
        document_loader=load_with_examples,
    )
    assert ours["proof"][0] == signed["proof"]


def test_the_signed_test_vector_verifies_and_a_changed_one_does_not() -> None:
    signed = read("signedDataInt.json")
    multikey = read("keyPair.json")["publicKeyMultibase"]
    assert check(signed, multikey, load_with_examples) == [True]
    signed["credentialSubject"]["alumniOf"] = "Another School"
    assert check(signed, multikey, load_with_examples) == [False]


def test_what_was_signed_is_read_as_rdf_once_and_a_changed_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    proof._hashes.forget()
    read_as_rdf: list[Any] = []
    plain = proof.canonize

    def note(document: dict[str, Any], **given: Any) -> str:
        read_as_rdf.append(document)
        return plain(document, **given)

    monkeypatch.setattr(proof, "canonize", note)
    signed = sign(build())
    assert len(read_as_rdf) == 2
    shuffled = json.loads(json.dumps(signed, sort_keys=True))
    assert check(shuffled) == [True]
    assert len(read_as_rdf) == 2
    shuffled["credentialSubject"]["achievement"]["criteria"]["narrative"] += "."
    assert check(shuffled) == [False]
    assert len(read_as_rdf) == 3


@pytest.mark.parametrize("clears", [False, True])
def test_contexts_that_are_kept_give_what_pyld_alone_gives(
    monkeypatch: pytest.MonkeyPatch, clears: bool
) -> None:
    """However the documents come, and also where what is kept is given up in between."""
    from pyld import jsonld

    monkeypatch.setattr(proof, "_processed", Kept(3 if clears else 512))
    certificate, listed = build(), make_list(3)
    odd = {
        **certificate,
        "@context": [*certificate["@context"], {"more": "https://terms.example/more"}],
        "more": "1",
    }
    other = {**odd, "@context": [*certificate["@context"], {"more": "https://terms.example/other"}]}
    options = {"documentLoader": loader.load_document, "base": None}
    for document in (certificate, listed, odd, certificate, other, odd, sign(certificate), listed):
        expanded, dropped = proof._expand(document, loader.load_document)
        assert expanded == jsonld.expand(document, options)
        assert dropped == []


def test_a_sample_of_the_standards_body_is_read() -> None:
    sample = json.loads((DATA / "open-badges-simple.json").read_text(encoding="utf-8"))
    bare = {name: value for name, value in sample.items() if name != "proof"}
    assert proof.find_unsigned_parts(bare) == []


# -- Nothing stays unsigned -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("gradeAverage",), "A"),
        (("credentialSubject", "favouriteColour"), "green"),
        (("credentialSubject", "achievement", "criteria", "note"), "unsigned"),
        (("credentialSubject", "achievement", "alignment", 0, "levelReached"), "leading"),
        (("type",), ["VerifiableCredential", "MadeUpCredential"]),
        (("credentialSubject", "achievement", "id"), "achievements/1"),
        (("name",), None),
        (("@context",), ["https://www.w3.org/ns/credentials/v2", "https://unknown.example/context"]),
    ],
)
def test_a_document_with_a_part_that_means_nothing_is_not_signed(path: tuple[Any, ...], value: Any) -> None:
    document = build()
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(proof.ProofError):
        sign(document)


def test_a_term_added_after_signing_is_noticed() -> None:
    signed = sign(build())
    signed["credentialSubject"]["honours"] = "with distinction"
    assert not verify(signed).signed


def leaf_paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for name, item in value.items() for leaf in leaf_paths(item, (*path, name))]
    if isinstance(value, list):
        return [leaf for place, item in enumerate(value) for leaf in leaf_paths(item, (*path, place))]
    return [path]


def test_every_single_value_of_a_credential_is_signed() -> None:
    facts = make_facts(competencies=make_facts().competencies[:2], partner=make_partner())
    signed = sign(build(facts))
    paths = [path for path in leaf_paths(signed) if path[0] not in {"@context"}]
    assert len(paths) > 50
    for path in paths:
        changed = copy.deepcopy(signed)
        place: Any = changed
        for step in path[:-1]:
            place = place[step]
        value = place[path[-1]]
        place[path[-1]] = (not value) if isinstance(value, bool) else f"{value}x"
        assert not verify(changed).signed, path


def test_many_may_be_checked_at_once() -> None:
    """PyLD keeps contexts it has read in a store that two threads must not change at once."""
    documents = [sign(build(make_facts(number=f"2026-{number:06d}-0A"))) for number in range(2)]
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            checked = list(pool.map(lambda turn: verify(documents[turn % 2]), range(80)))
    finally:
        sys.setswitchinterval(usual)
    assert all(one.stands for one in checked)


def test_only_vendored_contexts_are_read() -> None:
    with pytest.raises(Exception, match="none is fetched"):
        loader.load_document("https://www.w3.org/2018/credentials/v1")
    for url in (loader.CREDENTIALS_V2, loader.OPEN_BADGES, loader.OPEN_BADGES_EXTENSIONS, loader.DID_V1):
        assert "@context" in loader.load_document(url)["document"]


# -- The credential ---------------------------------------------------------------------------------------------------


def assert_open_badge(document: dict[str, Any]) -> None:
    """The rules of the Open Badges 3.0 JSON Schema that concern what we write."""
    assert document["@context"][0] == loader.CREDENTIALS_V2
    assert document["@context"][1] == loader.OPEN_BADGES
    assert isinstance(document["id"], str)
    assert {"VerifiableCredential", "OpenBadgeCredential"} <= set(document["type"])
    for name in ("name", "description", "validFrom", "awardedDate"):
        assert isinstance(document[name], str), name
    assert document["issuer"]["type"] == ["Profile"]
    assert document["issuer"]["id"].startswith("did:web:")
    assert isinstance(document["credentialStatus"], dict)
    assert document["credentialSchema"] == [
        {"id": credential.SCHEMA_URL, "type": "1EdTechJsonSchemaValidator2019"}
    ]
    assert loader.OPEN_BADGES_EXTENSIONS in document["@context"]
    subject = document["credentialSubject"]
    assert subject["type"] == ["AchievementSubject"]
    for identity in subject["identifier"]:
        assert set(identity) <= {"type", "hashed", "identityHash", "identityType", "salt"}
        assert identity["type"] == "IdentityObject"
        assert isinstance(identity["hashed"], bool)
    achievement = subject["achievement"]
    assert achievement["type"] == ["Achievement"]
    assert all(achievement[name] for name in ("id", "name", "description", "criteria"))
    for alignment in achievement.get("alignment", []):
        assert alignment["type"] == ["Alignment"]
        assert alignment["targetType"] == "CFItem"
        assert alignment["targetName"]
        assert alignment["targetUrl"].startswith("https://")
    scales = {scale["id"]: scale for scale in achievement.get("resultDescription", [])}
    for result in subject.get("result", []):
        levels = {level["id"] for level in scales[result["resultDescription"]]["rubricCriterionLevel"]}
        assert result["achievedLevel"] in levels
    assert all(
        isinstance(item, dict) and item["type"] == ["Evidence"] for item in document.get("evidence", [])
    )


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_credential_is_an_open_badge_with_every_certified_fact(language: str) -> None:
    facts = make_facts(completed_in=language, partner=make_partner(), expires_on=dt.date(2029, 10, 9))
    document = sign(build(facts))
    assert_open_badge(document)
    assert isinstance(document["proof"], list)
    assert document["validFrom"] == "2026-10-09T15:30:00Z"
    assert document["validUntil"] == "2029-10-10T12:00:00Z"
    assert document["credentialSubject"]["licenseNumber"] == facts.number
    text = json.dumps(document, ensure_ascii=False)
    for certified in [
        facts.number,
        facts.course_title.en,
        facts.course_title.fr,
        facts.framework_title.in_(facts.completed_in),
        facts.framework_digest,
        facts.issuer.name.en,
        facts.issuer.name.fr,
        facts.issuer.signatory.name,
        facts.verification_url,
        "Collège des Deux-Rives",
        "1 October 2026",
        "1er octobre 2026",
        "6\u00a0h\u00a020\u00a0min",
    ]:
        assert certified in text, certified
    for competency in facts.competencies:
        assert competency.uri in text
        assert competency.title.en in text
        assert competency.title.fr in text
        assert competency.evidence.in_(facts.completed_in) in text
    assert facts.holder_name not in text


def test_a_credential_without_competencies_or_expiry_has_no_empty_parts() -> None:
    document = build(make_facts(competencies=()))
    assert_open_badge(document)
    assert "validUntil" not in document
    assert not [path for path in leaf_paths(document) if path == ()]
    assert "[]" not in json.dumps(document)
    assert verify(sign(document)).stands


def test_twenty_competencies_are_signed_in_good_time() -> None:
    from tests.certificates.examples import make_competencies

    assert verify(sign(build(make_facts(competencies=make_competencies(20, long=True))))).stands


def test_the_holder_is_hidden_until_they_choose_otherwise() -> None:
    facts = make_facts()
    hidden = build(facts)["credentialSubject"]["identifier"][0]
    assert hidden["hashed"] is True
    assert hidden["identityHash"].startswith("sha256$")
    identity = credential.HolderIdentity.hidden(identity_type="name", value=facts.holder_name)
    other = credential.HolderIdentity.hidden(identity_type="name", value=facts.holder_name)
    assert identity.value != other.value
    assert identity.is_of(facts.holder_name)
    assert not identity.is_of("Élise Roy")
    opened = build(facts, credential.HolderIdentity.open(identity_type="name", value=facts.holder_name))
    assert opened["credentialSubject"]["identifier"] == [
        {"type": "IdentityObject", "hashed": False, "identityHash": facts.holder_name, "identityType": "name"}
    ]
    assert verify(sign(opened)).stands


def test_the_hash_of_an_identity_is_the_one_of_the_standards_example() -> None:
    identity = credential.HolderIdentity.hidden(
        identity_type="emailAddress", value="a@example.com", salt="Kosher"
    )
    assert identity.value == "sha256$b5809d8a92f8858436d7e6b87c12ebc0ae1eac4baecc2c0b913aee2c922ef399"


def test_a_credential_must_name_its_holder() -> None:
    with pytest.raises(ValueError, match="names its holder"):
        credential.build_credential(
            facts=make_facts(),
            addresses=credential.CredentialAddresses(
                "https://a.example/", "https://a.example/2", DID, LIST_URL, 1
            ),
            identities=[],
            issued_at=NOW,
        )


# -- Verifying --------------------------------------------------------------------------------------------------------


def test_a_good_credential_stands_and_a_second_proof_does_not_disturb_it() -> None:
    second = keys.CredentialKey(seed=bytes(32))
    document = did.build_did_document(
        did=DID, issuer_keys=[did.IssuerKey(KEY.multikey), did.IssuerKey(second.multikey)]
    )
    signed = sign(build())
    assert verify(signed).stands
    twice = sign(signed, key=second, method=did.make_verification_method(DID, second.multikey))
    assert len(twice["proof"]) == 2
    assert verify(twice, did_document=document).stands
    assert not verify(twice).stands


def test_a_retired_key_still_verifies_and_a_revoked_one_does_not() -> None:
    new = keys.CredentialKey.generate()
    rotated = did.build_did_document(
        did=DID, issuer_keys=[did.IssuerKey(new.multikey), did.IssuerKey(KEY.multikey)]
    )
    assert verify(sign(build()), did_document=rotated).stands
    stolen = did.build_did_document(
        did=DID, issuer_keys=[did.IssuerKey(new.multikey), did.IssuerKey(KEY.multikey, revoked_at=NOW)]
    )
    assert not verify(sign(build()), did_document=stolen).signed
    assert proof.find_unsigned_parts(rotated) == []
    assert proof.find_unsigned_parts(stolen) == []


def test_a_revoked_a_suspended_an_unknown_and_a_forged_status_are_told_apart() -> None:
    signed = sign(build())
    assert verify(signed, status_list_credential=make_list(INDEX)).revoked is True
    assert not verify(signed, status_list_credential=make_list(INDEX)).stands
    assert verify(signed, status_list_credential=make_list(INDEX - 1, INDEX + 1)).revoked is False
    assert verify(signed, status_list_credential=None).revoked is None
    assert not verify(signed, status_list_credential=None).stands
    assert verify(signed, status_list_credential=make_list(purpose="suspension")).revoked is None
    forged = make_list(INDEX)
    forged["credentialSubject"]["encodedList"] = status_list.encode_bits([])
    assert verify(signed, status_list_credential=forged).revoked is None


def test_dates_decide() -> None:
    signed = sign(build(make_facts(expires_on=dt.date(2026, 12, 31))))
    assert verify(signed).stands
    assert verify(signed, now=dt.datetime(2027, 1, 1, 7, 59, tzinfo=dt.UTC)).stands
    late = verify(signed, now=dt.datetime(2027, 1, 2, tzinfo=dt.UTC))
    assert late.signed
    assert late.expired
    assert not late.stands
    assert not verify(signed, now=NOW - dt.timedelta(seconds=1)).begun


def test_what_is_not_ours_does_not_stand() -> None:
    signed = sign(build())
    assert not verify({**signed, "issuer": {**signed["issuer"], "id": "did:web:other.example"}}).signed
    assert not verify({**signed, "proof": []}).signed
    assert not verify({name: value for name, value in signed.items() if name != "proof"}).signed
    stranger = keys.CredentialKey.generate()
    assert not verify(sign(build(), key=stranger)).signed
    for change in (
        {"cryptosuite": "eddsa-2022"},
        {"type": "Ed25519Signature2020"},
        {"proofPurpose": "authentication"},
        {"proofValue": "z" + "1" * 88},
        {"proofValue": "u123"},
        {"proofValue": None},
        {"created": "2027-01-01T00:00:00Z"},
        {"@context": ["https://www.w3.org/ns/did/v1"]},
    ):
        assert not verify({**signed, "proof": [{**signed["proof"][0], **change}]}).signed, change
    assert not verify({**signed, "proof": ["text"]}).signed


# -- did:web and the status list --------------------------------------------------------------------------------------


def test_the_identifier_of_a_site_is_made_from_its_origin() -> None:
    assert did.make_did("https://learn.example") == "did:web:learn.example"
    assert did.make_did("https://learn.example/") == "did:web:learn.example"
    assert did.make_did("http://127.0.0.1:8000") == "did:web:127.0.0.1%3A8000"
    assert did.make_did("https://réseau.example") == "did:web:xn--rseau-bsa.example"
    for wrong in ("learn.example", "https://learn.example/fr", "https://user@learn.example", ""):
        with pytest.raises(ValueError, match="origin"):
            did.make_did(wrong)


@given(st.sets(st.integers(min_value=0, max_value=status_list.MINIMUM_BITS - 1), max_size=40))
def test_a_status_list_reads_back(set_bits: set[int]) -> None:
    encoded = status_list.encode_bits(set_bits)
    assert encoded == status_list.encode_bits(sorted(set_bits, reverse=True))
    bits = status_list.decode_bits(encoded)
    assert len(bits) * 8 == status_list.MINIMUM_BITS
    assert {place for place in range(len(bits) * 8) if bits[place // 8] >> (7 - place % 8) & 1} == set_bits
    assert all(status_list.read_bit(encoded, index) for index in set_bits)


def test_the_first_place_is_the_leftmost_bit() -> None:
    assert status_list.decode_bits(status_list.encode_bits([0]))[0] == 0x80


@pytest.mark.parametrize("encoded", ["", "z123", "u", "u####", "uH4sIAAAAAAAA", "uAAAA"])
def test_rubbish_is_no_status_list(encoded: str) -> None:
    with pytest.raises(status_list.StatusListError):
        status_list.decode_bits(encoded)


def test_a_list_too_short_or_a_place_outside_is_refused() -> None:
    with pytest.raises(status_list.StatusListError):
        status_list.encode_bits([], length=1024)
    with pytest.raises(status_list.StatusListError):
        status_list.encode_bits([status_list.MINIMUM_BITS])
    with pytest.raises(status_list.StatusListError):
        status_list.read_bit(status_list.encode_bits([]), -1)


def test_places_are_drawn_at_random_and_never_twice() -> None:
    draws = iter([5, 5, 9])
    assert (
        status_list.draw_index(is_taken=lambda index: index == 5, randbelow=lambda _bound: next(draws)) == 9
    )
    with pytest.raises(status_list.StatusListError):
        status_list.draw_index(is_taken=lambda _index: True)


def test_the_status_list_is_a_signed_credential_of_its_own() -> None:
    document = make_list(3)
    assert document["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
    findings = proof.verify_proofs(document, find_key=did.make_key_finder(DID_DOCUMENT))
    assert [finding.stands for finding in findings] == [True]
    assert status_list.build_status_entry(list_url=LIST_URL, index=3, purpose="suspension") == {
        "id": f"{LIST_URL}#3",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "suspension",
        "statusListIndex": "3",
        "statusListCredential": LIST_URL,
    }


# -- Facts ------------------------------------------------------------------------------------------------------------


def test_facts_read_back_from_their_document_with_the_same_digest() -> None:
    facts = make_facts(partner=make_partner(), expires_on=dt.date(2029, 10, 9))
    document = json.loads(json.dumps(facts.to_document()))
    assert CertificateFacts.from_document(document) == facts
    assert CertificateFacts.from_document(document).digest == facts.digest
    assert facts.with_holder_name("Élise Roy").digest != facts.digest
    assert CertificateFacts.from_document(make_facts().to_document()) == make_facts()


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "certificate-facts/0"},
        {"holder_name": " "},
        {"completed_in": "de"},
        {"minutes": -1},
        {"expires_on": "2020-01-01"},
        {"issued_on": "yesterday"},
        {"issuer": None},
        {"extra": "member"},
    ],
)
def test_a_document_that_is_no_facts_is_refused(change: dict[str, Any]) -> None:
    from certificates.facts import FactsError

    with pytest.raises(FactsError):
        CertificateFacts.from_document({**make_facts().to_document(), **change})
    with pytest.raises(FactsError):
        CertificateFacts.from_document({"schema": "certificate-facts/1"})
