"""Who signs, countersigns and delivered stands under the certificate, however long the names are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from certificates.facts import Bilingual, Signatory
from certificates.pdf import render_certificate_html, render_certificate_pdf
from core.pdf import count_pages
from tests.certificates.examples import make_facts

WORDS = "Institute of Wide Mountain Waters " * 7


@pytest.mark.parametrize("length", [20, 95, 130, 200])
def test_names_of_any_length_fit_under_the_signatures(length: int) -> None:
    words = WORDS[:length]
    facts = make_facts(partner=None)
    half = words[: length // 2]
    facts = replace(
        facts,
        delivered_by=Bilingual(words, words),
        issuer=replace(facts.issuer, signatory=Signatory(half, Bilingual(half, half))),
    )
    assert count_pages(render_certificate_pdf(facts=facts, language="fr")) == 1


def test_where_nobody_is_named_the_issuer_answers_by_its_own_name() -> None:
    facts = make_facts(partner=None)
    facts = replace(facts, issuer=replace(facts.issuer, signatory=Signatory("", Bilingual("", ""))))
    assert f"<strong>{facts.issuer.name.fr}</strong><br>" in render_certificate_html(
        facts=facts, language="fr"
    )


def test_who_delivered_the_course_is_named_and_does_not_sign() -> None:
    facts = replace(
        make_facts(partner=None), delivered_by=Bilingual("Riverside College", "Collège Riverside")
    )
    html = render_certificate_html(facts=facts, language="en")
    assert "Course delivered by" in html
    assert "<strong>Riverside College</strong>" in html
    assert "Countersigned" not in html
