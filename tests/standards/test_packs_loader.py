"""A framework pack loads whole, loads again without doubling, and leaves editors' changes alone."""

from pathlib import Path

import pytest
from django.conf import settings

from standards.models import (
    Association,
    CompetencyPage,
    DomainPage,
    EditionCompetency,
    FrameworkEdition,
    FrameworkPage,
    Source,
)
from standards.packs_loader import PackError, load_framework_pack, load_sources
from tests.factories import standards as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    make.make_roots()
    return make.write_pack(tmp_path)


def load(pack: Path, **options: bool) -> tuple[FrameworkEdition | None, list[str]]:
    said: list[str] = []
    return load_framework_pack(pack, report=said.append, **options), said


def find(code: str, language: str) -> CompetencyPage:
    return CompetencyPage.objects.get(code=code, locale__language_code=language)


def test_a_pack_becomes_pages_in_both_languages_and_an_edition(pack: Path) -> None:
    edition, said = load(pack)
    assert edition is not None
    assert (edition.number, edition.status, edition.slug, edition.starting_content) == (
        1,
        "consultation",
        "small",
        True,
    )
    page = find("B1", "fr")
    assert page.live
    assert page.statement == "Lit les chiffres avec soin\u00a0: B1."
    assert page.translation_key == find("B1", "en").translation_key
    assert find("B1", "en").statement == "Reads figures with care (B1)."
    assert page.get_parent().specific.title == "Évaluer les besoins locaux"
    assert DomainPage.objects.get(locale__language_code="en").intro == "<p>An <em>opening</em> paragraph.</p>"
    assert Association.objects.get(edition=edition).type == "precedes"
    assert EditionCompetency.objects.get(edition=edition, code="B1").sources[0]["slug"] == "un-2002"
    assert said == [
        "Framework small: 8 pages made, 0 changed, 0 as they were, 0 kept as edited.",
        "Framework small: edition 1 was issued.",
    ]


def test_loading_again_changes_nothing(pack: Path) -> None:
    first, _said = load(pack)
    revisions = {page.pk: page.latest_revision_id for page in CompetencyPage.objects.all()}
    again, said = load(pack)
    assert again == first
    assert said == ["Framework small: 0 pages made, 0 changed, 8 as they were, 0 kept as edited."]
    assert revisions == {page.pk: page.latest_revision_id for page in CompetencyPage.objects.all()}


def test_the_files_new_words_are_taken_and_the_next_number_issues_them(pack: Path) -> None:
    load(pack)
    make.change_pack(pack, "fr", lambda head: head["competencies"][0].update(title="Lit bien les chiffres"))
    edition, said = load(pack)
    assert edition is None
    assert find("B1", "fr").title == "Lit bien les chiffres"
    assert "B1 (fr): the file's words were taken." in said
    assert any("Raise the edition's number in pack.yaml" in sentence for sentence in said)
    about = (pack / "pack.yaml").read_text(encoding="utf-8").replace("number: 1", "number: 2")
    (pack / "pack.yaml").write_text(about, encoding="utf-8")
    edition, _said = load(pack)
    assert edition is not None
    assert edition.number == 2


@pytest.mark.parametrize("published", [True, False])
def test_an_editors_change_is_kept_and_said(pack: Path, published: bool) -> None:
    first, _said = load(pack)
    page = find("B1", "en")
    page.statement = "The committee's own words."
    revision = page.save_revision()
    if published:
        revision.publish()
    _edition, said = load(pack)
    assert "B1 (en): an editor's change was kept." in said
    make.change_pack(pack, "en", lambda head: head["competencies"][0].update(title="Other title of the file"))
    edition, said = load(pack)
    assert edition == (None if published else first)
    assert "B1 (en): an editor changed it, so the file's new words were not taken." in said
    assert find("B1", "en").get_latest_revision_as_object().statement == "The committee's own words."
    assert FrameworkEdition.objects.count() == 1


def test_replace_takes_the_file_and_keeps_the_editors_words_in_the_history(pack: Path) -> None:
    load(pack)
    page = find("B1", "en")
    page.statement = "The committee's own words."
    page.save_revision().publish()
    edition, _said = load(pack, replace=True)
    assert edition is not None
    assert edition.number == 1
    assert find("B1", "en").statement == "Reads figures with care (B1)."
    kept = [revision.as_object().statement for revision in page.revisions.order_by("pk")]
    assert "The committee's own words." in kept


def test_relations_of_the_pack_are_words_of_the_page_too(pack: Path) -> None:
    load(pack)
    about = (pack / "pack.yaml").read_text(encoding="utf-8").replace("precedes", "related_to")
    (pack / "pack.yaml").write_text(about, encoding="utf-8")
    _edition, said = load(pack)
    assert "B1 (en): the file's words were taken." in said
    assert find("B1", "en").relations.get().type == "related_to"


def test_a_pack_without_french_is_refused_whole(pack: Path) -> None:
    make.change_pack(pack, "fr", lambda head: head["competencies"][1].update(statement=""))
    with pytest.raises(PackError, match=r"fr/b-assess\.md: B2 lacks statement\."):
        load(pack)
    assert not FrameworkPage.objects.exists()
    assert not Source.objects.exists()


def test_a_source_that_is_not_listed_is_refused(pack: Path) -> None:
    make.change_pack(pack, "en", lambda head: head["competencies"][0].update(sources=["nobody-1999"]))
    with pytest.raises(PackError, match=r"B1 cites nobody-1999, which sources\.yaml does not have"):
        load(pack)


def test_languages_must_have_the_same_codes(pack: Path) -> None:
    make.change_pack(pack, "fr", lambda head: head["competencies"].pop())
    with pytest.raises(PackError, match=r"fr/b-assess\.md must have the same codes"):
        load(pack)


def test_a_site_without_french_is_told_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"no home page in French yet\. Run “manage.py setup_site” first"):
        load(make.write_pack(tmp_path))


def test_a_source_belongs_to_the_pack_that_brought_it(pack: Path, tmp_path: Path) -> None:
    load_sources(pack, report=print)
    other = tmp_path / "other"
    make.write_yaml(
        other / "sources.yaml", [{"slug": "un-2002", "en": "Other words.", "fr": "Autres mots.", "url": ""}]
    )
    said: list[str] = []
    found = load_sources(other, report=said.append)
    assert found["un-2002"].citation_en == "United Nations. *Guidelines*. 2002."
    assert said == ["Source un-2002: the pack other says it differently; the words of small stay."]
    make.write_yaml(pack / "sources.yaml", [{"slug": "un-2002", "en": "New words.", "fr": "Nouveaux mots."}])
    assert load_sources(pack, report=said.append)["un-2002"].citation_fr == "Nouveaux mots."
    Source.objects.update(citation_en="An editor's words.")
    said.clear()
    assert load_sources(pack, report=said.append)["un-2002"].citation_en == "An editor's words."
    assert said == ["Source un-2002: an editor's change was kept."]


def test_the_starting_content_loads() -> None:
    make.make_roots()
    edition, said = load(Path(settings.BASE_DIR) / "standards" / "packs" / "cswb-practitioners")
    assert edition is not None, said
    assert edition.number == 1
    codes = set(EditionCompetency.objects.values_list("code", flat=True))
    assert {f"B{number}" for number in range(1, 7)} <= codes
    again, said = load(Path(settings.BASE_DIR) / "standards" / "packs" / "cswb-practitioners")
    assert again == edition
    assert "0 pages made, 0 changed" in said[-1]
