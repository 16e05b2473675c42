"""The public addresses, the holder's screens and the registrar's: who sees what, and at what cost."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, Consent, Organization, User
from accounts.services import subject_of
from certificates import services
from certificates.models import Certificate, CorrectionRequest, ShareLink
from certificates.openbadges.credential import verify_credential
from core import clock
from tests.certificates.test_services import correct, revoke
from tests.factories.certificates import make_certificate, make_completed, make_offering

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@pytest.fixture
def certificate(learner: User, college: Organization) -> Certificate:
    """The learner's, from a cohort that the college partners in; not shown to everyone, with files in its place."""
    made = make_certificate(user=learner, offering=make_offering(partner=college))
    for language in ("en", "fr"):
        made.content.pdf_in(language).save("c.pdf", ContentFile(b"%PDF-1.7 " + b"x" * 40_000), save=False)
        made.content.picture_in(language).save("c.webp", ContentFile(b"RIFF"), save=False)
    made.content.save()
    return Certificate.objects.get(pk=made.pk)


def page_of(certificate: Certificate, language: str = "en", **query: str) -> str:
    extra = "".join(f"&{name}={value}" for name, value in query.items())
    return f"/certificates/{certificate.pk}/?lang={language}{extra}"


def show(certificate: Certificate) -> None:
    services.show_publicly(certificate=certificate, language="en")


def read(response: Any) -> str:
    """The words of a page, spaces single."""
    if response.streaming:
        return ""
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", text.replace("\xa0", " ").replace("&#x27;", "'"))


# --- The verification page ------------------------------------------------------------------------------------------


def test_a_certificate_that_stands_says_all_that_was_certified(
    visitor: Client, certificate: Certificate
) -> None:
    show(certificate)
    response = visitor.get(page_of(certificate))
    said = read(response)
    assert response.status_code == 200
    for words in (
        "This certificate stands",
        "Lea Lavallée-Smith",
        "Rural Crime Prevention",
        "Delivered by Riverside College",
        certificate.number,
        "A2 Interprets figures for a small population",
        "Practising",
        "Assessment, 7 of 8",
        "The signature is genuine.",
        "The text is the text that was signed.",
        "It has not been revoked or replaced.",
        "Every requirement was met.",
    ):
        assert words in said, words
    assert re.search(r"Signed PDF, \d+ kB", said)
    assert re.search(r"Open Badges 3.0, JSON, \d+ kB", said)
    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Robots-Tag"] == "noindex"


@pytest.mark.parametrize(
    ("headers", "query", "cookie", "expected"),
    [
        ({"Accept-Language": "fr-CA"}, "", "", "fr"),
        ({"Accept-Language": "en"}, "", "", "en"),
        ({"Accept-Language": "en"}, "", "fr", "fr"),
        ({"Accept-Language": "fr"}, "?lang=en", "", "en"),
        ({"Accept-Language": "en"}, "?lang=xx", "", "en"),
    ],
)
def test_the_page_speaks_the_visitors_language(
    certificate: Certificate, headers: dict[str, str], query: str, cookie: str, expected: str
) -> None:
    client = Client(headers=headers)
    if cookie:
        client.cookies[site_settings.LANGUAGE_COOKIE_NAME] = cookie
    response = client.get(f"/certificates/{certificate.pk}/{query}")
    assert response.status_code == 200
    assert f'<html lang="{expected}">' in response.content.decode()
    assert response["Content-Language"] == expected
    other = "fr" if expected == "en" else "en"
    assert f"/certificates/{certificate.pk}/?lang={other}" in response.content.decode()


def test_a_replaced_certificate_leads_to_the_new_one(
    visitor: Client, certificate: Certificate, officer: User
) -> None:
    new = correct(certificate, officer)
    response = visitor.get(page_of(certificate))
    said = read(response)
    assert "Replaced by a newer certificate" in said
    assert "The holder's name has changed or was corrected." in said
    assert new.number in said
    assert f"/certificates/{new.pk}/" in response.content.decode()
    assert "It has been replaced." in said
    assert certificate.number in read(visitor.get(page_of(new)))


def test_a_revoked_certificate_says_why(visitor: Client, certificate: Certificate, officer: User) -> None:
    revoke(certificate, officer, note="A private note.")
    said = read(visitor.get(page_of(certificate)))
    assert "Revoked. Do not rely on it" in said
    assert "Work that it rests on was found to be another person's." in said
    assert "It has been revoked." in said
    assert "A private note." not in said


def test_an_expired_certificate(visitor: Client, learner: User) -> None:
    made = make_certificate(user=learner, valid_months=12, at=clock.now() - timedelta(days=500))
    said = read(visitor.get(page_of(made)))
    assert "Expired on" in said
    assert "It was genuine and true while it was valid." in said
    assert "This certificate stands" not in said


def test_a_certificate_that_was_tampered_with_is_not_confirmed(
    visitor: Client, certificate: Certificate
) -> None:
    show(certificate)
    content = certificate.content
    content.facts["holder_name"] = "Mallory"
    content.save()
    said = read(visitor.get(page_of(certificate)))
    assert "This certificate could not be confirmed" in said
    assert "The text is not the text that was signed." in said
    assert "This certificate stands" not in said


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_unknown_address_is_said_plainly(visitor: Client, language: str) -> None:
    response = visitor.get(f"/certificates/{uuid.uuid4()}/?lang={language}")
    assert response.status_code == 404
    assert "certificates/check/" in response.content.decode()


def test_while_the_pdf_is_prepared_the_page_is_ready(visitor: Client, learner: User) -> None:
    made = make_certificate(user=learner)
    show(made)
    assert "The PDF is being prepared" in read(visitor.get(page_of(made)))
    response = visitor.get(f"/certificates/{made.pk}/certificate.pdf?lang=en")
    assert response.status_code == 404
    assert "It is being prepared" in read(response)


# --- Who sees what --------------------------------------------------------------------------------------------------

VIEWERS = [
    "visitor",
    "stranger",
    "other_learner",
    "instructor",
    "learner",
    "officer",
    "administrator",
    "registrar",
]
FULL = {"learner", "officer", "administrator", "registrar"}


@pytest.mark.parametrize("consented", [False, True], ids=["hidden", "shown"])
@pytest.mark.parametrize("who", VIEWERS)
def test_name_facts_and_files_follow_consent_and_role(
    request: pytest.FixtureRequest, sign_in: SignIn, certificate: Certificate, who: str, consented: bool
) -> None:
    client = Client() if who == "visitor" else sign_in(request.getfixturevalue(who))
    if consented:
        show(certificate)
    sees = consented or who in FULL
    page = client.get(page_of(certificate))
    said = read(page)
    assert page.status_code == 200
    assert "Rural Crime Prevention" in said
    assert "This certificate stands" in said
    assert certificate.number in said
    assert ("Lea Lavallée-Smith" in said) is sees or who == "learner"
    assert ("Assessment, 7 of 8" in said) is sees
    assert ("Not shown; the holder has not consented." in said) is not sees
    pdf = client.get(f"/certificates/{certificate.pk}/certificate.pdf?lang=fr")
    credential = client.get(f"/certificates/{certificate.pk}/credential.json")
    if sees:
        assert b"".join(pdf.streaming_content).startswith(b"%PDF")
        assert credential.json()["credentialSubject"]["licenseNumber"] == certificate.number
    else:
        assert pdf.status_code == (302 if who == "visitor" else 403)
        assert credential.status_code == 403
        assert credential.json()["code"] == "not_allowed"
        assert "Lea" not in credential.content.decode()
    logged = AuditEntry.objects.filter(action="certificate.opened", subject=certificate.subject)
    assert logged.count() == (3 if who in {"officer", "administrator", "registrar"} and not consented else 0)


def test_a_registrar_of_another_institution_sees_no_name(
    sign_in: SignIn, certificate: Certificate, stranger: User, town: Organization
) -> None:
    from tests.factories.accounts import make_role

    make_role(user=stranger, what="registrar", organization=town)
    assert "Lea Lavallée" not in read(sign_in(stranger).get(page_of(certificate)))


def test_consent_that_is_withdrawn_counts_at_once(visitor: Client, certificate: Certificate) -> None:
    show(certificate)
    first = visitor.get(f"/certificates/{certificate.pk}/credential.json")
    assert first.status_code == 200
    services.stop_showing(certificate=certificate)
    again = visitor.get(
        f"/certificates/{certificate.pk}/credential.json", headers={"If-None-Match": first["ETag"]}
    )
    assert again.status_code == 403
    assert "Lea Lavallée" not in read(visitor.get(page_of(certificate)))


def test_consent_to_one_certificate_shows_no_other(
    visitor: Client, certificate: Certificate, learner: User
) -> None:
    other = make_certificate(user=learner)
    show(certificate)
    assert "Lea Lavallée" in read(visitor.get(page_of(certificate)))
    assert "Lea Lavallée" not in read(visitor.get(page_of(other)))


def test_a_share_link_shows_this_certificate_until_it_ends(visitor: Client, certificate: Certificate) -> None:
    link = services.make_share_link(certificate=certificate, link_id=uuid.uuid4(), label="HR")
    response = visitor.get(page_of(certificate, share=link.token))
    assert "Lea Lavallée" in read(response)
    assert "Shown to you by a link from the holder" in read(response)
    assert response["Referrer-Policy"] == "same-origin"
    pdf = f"/certificates/{certificate.pk}/certificate.pdf?lang=en&share={link.token}"
    assert pdf.replace("&", "&amp;") in response.content.decode()
    assert b"".join(visitor.get(pdf).streaming_content).startswith(b"%PDF")
    assert "Lea Lavallée" not in read(visitor.get(page_of(certificate, share="wrong")))
    with clock.set_to(clock.now() + timedelta(days=1)):
        assert "Lea Lavallée" in read(visitor.get(page_of(certificate, share=link.token)))
    services.close_share_link(link=link)
    assert "Lea Lavallée" not in read(visitor.get(page_of(certificate, share=link.token)))
    ended = services.make_share_link(
        certificate=certificate, link_id=uuid.uuid4(), ends_at=clock.now() - timedelta(minutes=1)
    )
    assert "Lea Lavallée" not in read(visitor.get(page_of(certificate, share=ended.token)))


def test_a_share_link_opens_no_other_certificate(
    visitor: Client, certificate: Certificate, learner: User
) -> None:
    other = make_certificate(user=learner)
    link = services.make_share_link(certificate=certificate, link_id=uuid.uuid4())
    assert "Lea Lavallée" not in read(visitor.get(page_of(other, share=link.token)))


# --- For programs ---------------------------------------------------------------------------------------------------


def test_published_documents_verify_the_credential_without_the_database(
    visitor: Client, certificate: Certificate, officer: User
) -> None:
    show(certificate)

    def check() -> Any:
        credential = visitor.get(f"/certificates/{certificate.pk}/credential.json")
        keys = visitor.get("/.well-known/did.json")
        status = visitor.get("/certificates/status/0")
        for response in (credential, keys, status):
            assert response["Cache-Control"] == "no-cache"
            assert response["Access-Control-Allow-Origin"] == "*"
        document = json.loads(credential.content)
        assert (
            document["credentialStatus"]["statusListCredential"] == "http://testserver/certificates/status/0"
        )
        return verify_credential(
            document,
            did_document=json.loads(keys.content),
            status_list_credential=json.loads(status.content),
            now=clock.now() + timedelta(seconds=1),
        )

    assert check().stands
    revoke(certificate, officer)
    found = check()
    assert found.signed
    assert found.revoked
    assert not found.stands


def test_documents_are_sent_again_only_where_they_changed(
    visitor: Client, certificate: Certificate, officer: User
) -> None:
    show(certificate)
    for path in (
        "/.well-known/did.json",
        "/certificates/status/0",
        f"/certificates/{certificate.pk}/credential.json",
    ):
        first = visitor.get(path)
        assert visitor.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304, path
    status = visitor.get("/certificates/status/0")
    revoke(certificate, officer)
    assert visitor.get("/certificates/status/0", headers={"If-None-Match": status["ETag"]}).status_code == 200
    pdf = f"/certificates/{certificate.pk}/certificate.pdf?lang=en"
    first = visitor.get(pdf)
    assert b"".join(first.streaming_content).startswith(b"%PDF")
    assert visitor.get(pdf, headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_what_no_list_holds_is_404(visitor: Client) -> None:
    assert visitor.get("/certificates/status/7").status_code == 404
    assert visitor.get(f"/certificates/{uuid.uuid4()}/credential.json").status_code == 404
    assert visitor.get(f"/certificates/{uuid.uuid4()}/certificate.pdf").status_code == 404
    assert visitor.get(f"/certificates/achievements/{uuid.uuid4()}/").status_code == 404


def test_an_achievement_leads_to_its_course(visitor: Client, certificate: Certificate) -> None:
    response = visitor.get(f"/certificates/achievements/{certificate.achievement_id}/")
    assert response.status_code == 302
    assert f"/trainings/{certificate.enrolment.edition.slug}/" in response["Location"]


# --- Checking by number ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "fr"])
def test_numbers_links_and_pasted_text_find_the_page(
    visitor: Client, certificate: Certificate, language: str
) -> None:
    number = certificate.number
    for text in (
        number,
        number.lower().replace("-", " "),
        f"  {number}\n",
        f"http://testserver/certificates/{certificate.pk}/?share=x",
        f"Please see certificate no. {number}, issued this year.",
        str(certificate.pk),
    ):
        response = visitor.get(f"/{language}/certificates/check/", {"number": text})
        assert response.status_code == 302, text
        assert response["Location"] == f"/certificates/{certificate.pk}/?lang={language}"


def test_a_slip_of_the_pen_is_told_from_a_number_that_is_not_ours(
    visitor: Client, certificate: Certificate
) -> None:
    slip = certificate.number[:-1] + ("A" if certificate.number[-1] != "A" else "C")
    said = read(visitor.get("/en/certificates/check/", {"number": slip}))
    assert "There is a slip in this number" in said
    assert slip in said
    assert "No certificate has this number" in read(
        visitor.get("/en/certificates/check/", {"number": "2001-000000-0A"})
    ) or "slip" in read(visitor.get("/en/certificates/check/", {"number": "2001-000000-0A"}))
    assert "This is not a certificate number" in read(
        visitor.get("/en/certificates/check/", {"number": "hello"})
    )
    assert "No certificate has this address" in read(
        visitor.get("/en/certificates/check/", {"number": f"https://x.example/certificates/{uuid.uuid4()}/"})
    )


def test_a_right_number_that_was_never_issued(visitor: Client) -> None:
    from certificates.numbers import make_number

    said = read(visitor.get("/en/certificates/check/", {"number": make_number(year=2026, serial=4711)}))
    assert "No certificate has this number" in said


def test_looking_up_is_slowed_down(visitor: Client, certificate: Certificate) -> None:
    for _again in range(30):
        assert visitor.get("/en/certificates/check/", {"number": certificate.number}).status_code == 302
    response = visitor.get("/en/certificates/check/", {"number": certificate.number})
    assert response.status_code == 429
    assert response["Retry-After"]
    assert visitor.get("/en/certificates/check/").status_code == 200


# --- The registrar --------------------------------------------------------------------------------------------------


def test_a_registrar_checks_many_at_once(
    sign_in: SignIn, registrar: User, certificate: Certificate, other_learner: User, officer: User
) -> None:
    elsewhere = make_certificate(user=other_learner)
    revoke(elsewhere, officer)
    asked = f"{certificate.number}\n{elsewhere.number}; http://testserver/certificates/{certificate.pk}/\n2026-1\n"
    response = sign_in(registrar).post("/en/certificates/check/many/", {"numbers": asked})
    said = read(response)
    assert "3 of 4 were found." in said
    assert "Lea Lavallée-Smith" in said
    assert "Otis Bérubé" not in said
    assert "Revoked" in said
    assert "This is not a certificate number" in said
    assert AuditEntry.objects.filter(action="certificate.opened", details={"as": "registrar"}).count() == 2


def test_the_table_is_harmless_in_a_spreadsheet(
    sign_in: SignIn, registrar: User, certificate: Certificate
) -> None:
    response = sign_in(registrar).post(
        "/en/certificates/check/many/", {"numbers": f"=1+1\n{certificate.number}\n@SUM(A1)", "format": "csv"}
    )
    assert response["Content-Type"].startswith("text/csv")
    lines = response.content.decode("utf-8-sig").splitlines()
    assert lines[1].startswith("'=1+1,")
    assert lines[2].split(",")[2] == certificate.number
    assert lines[3].startswith("'@SUM(A1)")


def test_at_most_two_hundred_are_looked_up(sign_in: SignIn, registrar: User) -> None:
    many = "\n".join(f"2026-{number:06d}-0A" for number in range(300))
    response = sign_in(registrar).post("/en/certificates/check/many/", {"numbers": many})
    assert len(response.context["rows"]) == 200


def test_many_cost_as_much_as_one(
    sign_in: SignIn, registrar: User, college: Organization, django_assert_num_queries: Any
) -> None:
    offering = make_offering(partner=college)
    numbers = [make_certificate(offering=offering).number for _row in range(4)]
    client = sign_in(registrar)
    client.post("/en/certificates/check/many/", {"numbers": numbers[0]})
    counts = []
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for asked in (numbers[:1], numbers):
        with CaptureQueriesContext(
            connection,
        ) as found:
            client.post("/en/certificates/check/many/", {"numbers": "\n".join(asked)})
        counts.append(len(found))
        with CaptureQueriesContext(connection) as listed:
            client.get("/en/certificates/cohorts/")
        counts.append(len(listed))
    assert counts[0] == counts[2]
    assert counts[1] == counts[3]


def test_cohorts_are_those_of_the_institution(
    sign_in: SignIn, registrar: User, certificate: Certificate, other_learner: User
) -> None:
    elsewhere = make_certificate(user=other_learner)
    client = sign_in(registrar)
    said = read(client.get("/en/certificates/cohorts/"))
    assert certificate.number in said
    assert "Lea Lavallée-Smith" in said
    assert elsewhere.number not in said
    csv = client.get("/en/certificates/cohorts/?format=csv").content.decode("utf-8-sig")
    assert certificate.number in csv
    assert AuditEntry.objects.filter(action="certificate.cohort_listed").count() == 2


def test_an_empty_cohort_leads_on(sign_in: SignIn, registrar: User) -> None:
    assert "No certificate yet" in read(sign_in(registrar).get("/en/certificates/cohorts/"))


@pytest.mark.parametrize(
    ("who", "status"),
    [("visitor", 302), ("stranger", 403), ("learner", 403), ("registrar", 200), ("officer", 200)],
)
def test_the_registrars_screens_are_for_registrars(
    request: pytest.FixtureRequest, sign_in: SignIn, who: str, status: int
) -> None:
    client = Client() if who == "visitor" else sign_in(request.getfixturevalue(who))
    assert client.get("/en/certificates/cohorts/").status_code == status
    assert client.post("/en/certificates/check/many/", {"numbers": "x"}).status_code == status
    assert ("Many at once" in read(client.get("/en/certificates/check/"))) is (status == 200)


def test_a_partner_countersigns(
    sign_in: SignIn, registrar: User, certificate: Certificate, visitor: Client, officer: User
) -> None:
    client = sign_in(registrar)
    url = f"/en/certificates/{certificate.pk}/countersign/"
    assert url in client.get(page_of(certificate)).content.decode()
    assert client.get(url).status_code == 200
    assert client.post(url, {"credits": "1.5"}).status_code == 302
    assert client.post(url, {"credits": "3"}).status_code == 302
    said = read(visitor.get(page_of(certificate)))
    assert "Riverside College reviewed the evidence and countersigned on" in said
    assert "1.5" in said
    assert certificate.attestations.count() == 1
    assert url not in client.get(page_of(certificate)).content.decode()
    assert sign_in(officer).get(url).status_code == 403


# --- The holder -----------------------------------------------------------------------------------------------------


def test_the_holder_decides_who_sees_it(sign_in: SignIn, learner: User, certificate: Certificate) -> None:
    client = sign_in(learner)
    page = f"/en/my/certificates/{certificate.pk}/"
    assert "Your name and the competencies are not shown." in read(client.get(page))
    client.post(f"{page}show/", {"show": "yes"})
    consent = Consent.objects.get(purpose=Consent.Purpose.CERTIFICATE_PUBLIC)
    assert consent.about == certificate.pk
    assert consent.wording.startswith("Show my name")
    assert "Anyone who has the address or the number sees your name" in read(client.get(page))
    client.post(f"{page}show/", {"show": "yes"})
    client.post(f"{page}show/", {"show": "no"})
    consent.refresh_from_db()
    assert consent.withdrawn_at
    client.post(f"/fr/my/certificates/{certificate.pk}/show/", {"show": "yes"})
    assert Consent.objects.get(withdrawn_at__isnull=True, about=certificate.pk).language == "fr"


def test_the_holder_makes_and_closes_links(sign_in: SignIn, learner: User, certificate: Certificate) -> None:
    client = sign_in(learner)
    page = f"/en/my/certificates/{certificate.pk}/"
    key = str(uuid.uuid4())
    for _again in range(2):
        client.post(f"{page}links/", {"label": "HR of the town", "lasts": "30", "client_id": key})
    link = ShareLink.objects.get()
    assert link.ends_at is not None
    response = client.get(page)
    assert "HR of the town" in read(response)
    assert f"http://testserver/certificates/{certificate.pk}/?share={link.token}" in response.content.decode()
    client.post(f"{page}links/{link.pk}/close/")
    assert "HR of the town" not in read(client.get(page))


def test_the_holder_asks_for_a_correction(
    sign_in: SignIn, learner: User, officer: User, certificate: Certificate
) -> None:
    client = sign_in(learner)
    url = f"/en/my/certificates/{certificate.pk}/correct/"
    assert 'value="Lea Lavallée-Smith"' in client.get(url).content.decode()
    refused = client.post(url, {"holder_name": "Li 李", "client_id": str(uuid.uuid4())})
    assert "do not have these characters" in read(refused)
    for _again in range(2):
        client.post(
            url, {"holder_name": "Léa Lavallée", "note": "An accent.", "client_id": str(uuid.uuid4())}
        )
    asked = CorrectionRequest.objects.get()
    assert "You asked for a correction" in read(client.get(f"/en/my/certificates/{certificate.pk}/"))
    correct(certificate, officer, holder_name="Léa Lavallée")
    asked.refresh_from_db()
    assert asked.reissued
    assert asked.closed_by == subject_of(officer)


def test_the_picture_is_the_holders_only(
    sign_in: SignIn, learner: User, stranger: User, certificate: Certificate
) -> None:
    url = f"/fr/my/certificates/{certificate.pk}/picture/"
    response = sign_in(learner).get(url)
    assert response["Content-Type"] == "image/webp"
    assert b"".join(response.streaming_content) == b"RIFF"
    assert sign_in(stranger).get(url).status_code == 404


@pytest.mark.parametrize("path", ["", "picture/", "correct/"])
@pytest.mark.parametrize("who", ["visitor", "stranger", "registrar", "officer"])
def test_a_holders_screens_are_the_holders(
    request: pytest.FixtureRequest, sign_in: SignIn, certificate: Certificate, path: str, who: str
) -> None:
    client = Client() if who == "visitor" else sign_in(request.getfixturevalue(who))
    url = f"/en/my/certificates/{certificate.pk}/{path}"
    assert client.get(url).status_code == (302 if who == "visitor" else 404)
    for action in ("show/", "links/"):
        posted = client.post(f"/en/my/certificates/{certificate.pk}/{action}", {"show": "yes"})
        assert posted.status_code == (302 if who == "visitor" else 404)
    assert not Consent.objects.filter(purpose=Consent.Purpose.CERTIFICATE_PUBLIC).exists()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_screen_is_there_in_both_languages(
    sign_in: SignIn, learner: User, registrar: User, certificate: Certificate, language: str
) -> None:
    for client, paths in (
        (sign_in(learner), ["my/certificates/", f"my/certificates/{certificate.pk}/", "my/"]),
        (sign_in(registrar), ["certificates/check/", "certificates/cohorts/"]),
    ):
        for path in paths:
            response = client.get(f"/{language}/{path}")
            assert response.status_code == 200, path
            assert f'<html lang="{language}">' in response.content.decode()


def test_home_says_what_is_there_on_the_way_or_not_yet(
    sign_in: SignIn, learner: User, stranger: User
) -> None:
    assert "you decide who sees your name" in read(sign_in(stranger).get("/en/my/"))
    assert "No certificate yet" in read(sign_in(stranger).get("/en/my/certificates/"))
    make_completed(user=learner)
    assert "Being prepared" in read(sign_in(learner).get("/en/my/"))
    services.issue_certificate(enrolment=subject_of(learner).enrolments.get())
    said = read(sign_in(learner).get("/en/my/"))
    assert "Being prepared" not in said
    assert Certificate.objects.get().number in said


# --- Costs ----------------------------------------------------------------------------------------------------------


def test_the_verification_page_costs_one_round_trip(
    visitor: Client, certificate: Certificate, officer: User, django_assert_num_queries: Any
) -> None:
    visitor.get(page_of(certificate))
    with django_assert_num_queries(1):
        visitor.get(page_of(certificate))
    new = correct(certificate, officer)
    for consented in (certificate, new):
        show(consented)
    visitor.get(page_of(certificate))
    with django_assert_num_queries(1):
        visitor.get(page_of(certificate))
    link = services.make_share_link(certificate=new, link_id=uuid.uuid4())
    visitor.get(page_of(new))
    with django_assert_num_queries(2):
        visitor.get(page_of(new, share=link.token))


def test_ones_own_list_costs_the_same_at_one_and_many(sign_in: SignIn, learner: User) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = sign_in(learner)
    counts = []
    for _round in range(2):
        make_certificate(user=learner)
        make_certificate(user=learner) if counts else None
        # What never changes (editions, frameworks) is read once a process.
        client.get("/en/my/certificates/")
        client.get("/en/my/")
        with CaptureQueriesContext(connection) as found:
            client.get("/en/my/certificates/")
        counts.append(len(found))
        with CaptureQueriesContext(connection) as home:
            client.get("/en/my/")
        counts.append(len(home))
    assert counts[0] == counts[2]
    assert counts[1] == counts[3]


def test_routes_are_named_as_promised(certificate: Certificate) -> None:
    assert (
        reverse("certificates_public:certificate", args=[certificate.pk])
        == f"/certificates/{certificate.pk}/"
    )
    assert reverse("certificates:check") == "/en/certificates/check/"
    assert reverse("certificates:mine") == "/en/my/certificates/"
    assert reverse("certificates:holder", args=[certificate.pk]) == f"/en/my/certificates/{certificate.pk}/"
