"""The text of a framework, and how two texts differ: no database."""

import dataclasses
import uuid

from hypothesis import given
from hypothesis import strategies as st

from standards.case.package import Stamp, build_package, digest_package, list_nodes, remove_stamps
from standards.rules import (
    CompetencyText,
    DomainText,
    FrameworkText,
    RelationText,
    Words,
    compare_texts,
    compare_words,
    find_problems,
    touches_other_words,
)

KEY, DOMAIN, FIRST, SECOND = (uuid.UUID(int=number, version=4) for number in range(1, 5))


def make_competency(key: uuid.UUID, code: str, statement: str = "Reads figures.") -> CompetencyText:
    return CompetencyText(
        id=key,
        code=code,
        kind="skill",
        title=Words(f"Title {code}", f"Titre {code}"),
        statement=Words(statement, f"{statement} (fr)"),
        levels={
            level: Words(f"{level} {code}", f"{level} {code} fr")
            for level in ("foundational", "practising", "leading")
        },
    )


def make_text(*competencies: CompetencyText) -> FrameworkText:
    return FrameworkText(
        key=KEY,
        slug="small",
        title=Words("Standards", "Normes"),
        licence="CC-BY-4.0",
        domains=(
            DomainText(id=DOMAIN, code="B", title=Words("Needs", "Besoins"), competencies=competencies),
        ),
    )


TEXT = make_text(make_competency(FIRST, "B1"), make_competency(SECOND, "B2"))


def test_a_whole_text_has_no_problems() -> None:
    assert find_problems(TEXT) == []


def test_a_relation_to_itself_or_said_twice_is_a_problem() -> None:
    relation = RelationText(type="precedes", origin=FIRST, destination=SECOND)
    assert find_problems(dataclasses.replace(TEXT, relations=(relation,))) == []
    assert find_problems(dataclasses.replace(TEXT, relations=(relation, relation))) == [
        "Competency B1 says the same relation twice."
    ]
    loop = RelationText(type="precedes", origin=FIRST, destination=FIRST)
    assert find_problems(dataclasses.replace(TEXT, relations=(loop,))) == [
        "Competency B1 is related to itself."
    ]


@given(st.text(), st.text())
def test_pieces_give_back_both_texts(old: str, new: str) -> None:
    pieces = compare_words(old, new)
    assert "".join(piece.text for piece in pieces if piece.kind != "removed").split() == new.split()
    assert (
        "".join(piece.text for piece in pieces if piece.kind == "added") == "" or old.split() != new.split()
    )


def test_comparison_names_what_was_added_removed_and_changed() -> None:
    third = make_competency(uuid.UUID(int=9, version=4), "B3")
    newer = make_text(make_competency(FIRST, "B1", "Reads figures carefully."), third)
    changes = compare_texts(TEXT, newer, language="en")
    assert [(change.kind, change.code) for change in changes] == [
        ("changed", "B1"),
        ("added", "B3"),
        ("removed", "B2"),
    ]
    field = changes[0].fields[0]
    assert (field.name, field.label) == ("statement", "Statement")
    assert [(piece.kind, piece.text) for piece in field.pieces] == [
        ("same", "Reads "),
        ("removed", "figures."),
        ("added", "figures carefully."),
    ]
    assert compare_texts(TEXT, TEXT, language="fr") == []


def test_a_change_in_french_alone_shows_in_french_alone() -> None:
    competency = dataclasses.replace(make_competency(FIRST, "B1"), title=Words("Title B1", "Autre titre"))
    newer = make_text(competency, make_competency(SECOND, "B2"))
    assert compare_texts(TEXT, newer, language="en") == []
    assert len(compare_texts(TEXT, newer, language="fr")) == 1
    assert touches_other_words(TEXT, dataclasses.replace(TEXT, starting_content=True))


def test_a_package_has_a_french_twin_of_every_item_and_three_levels_of_each_competency() -> None:
    package = build_package(TEXT, stamp=Stamp(number=1))
    items = {item["identifier"]: item for item in package["CFItems"]}
    assert len(items) == len(package["CFItems"]) == 2 * (1 + 2 + 6)
    kinds: dict[str, list[dict[str, object]]] = {}
    for association in package["CFAssociations"]:
        kinds.setdefault(association["associationType"], []).append(association)
    assert {name: len(found) for name, found in kinds.items()} == {"isChildOf": 9, "isTranslationOf": 9}
    for association in kinds["isTranslationOf"]:
        twin = items[association["originNodeURI"]["identifier"]]  # type: ignore[index]
        original = items[association["destinationNodeURI"]["identifier"]]  # type: ignore[index]
        assert (twin["language"], original["language"]) == ("fr", "en")
    levels = [
        items[association["originNodeURI"]["identifier"]]["educationLevel"]  # type: ignore[index]
        for association in kinds["isChildOf"]
        if association["destinationNodeURI"]["identifier"] == str(FIRST)  # type: ignore[index]
    ]
    assert levels == [["foundational"], ["practising"], ["leading"]]
    assert items[str(FIRST)]["fullStatement"] == "Reads figures."
    identifiers = [node["identifier"] for _name, node in list_nodes(package)]
    assert len(identifiers) == len(set(identifiers))


def test_identifiers_and_digest_do_not_depend_on_the_issue() -> None:
    one = build_package(TEXT, stamp=Stamp(edition_id=uuid.UUID(int=7, version=4), number=1, creator="One"))
    other = build_package(
        TEXT, stamp=Stamp(edition_id=uuid.UUID(int=8, version=4), number=5, creator="Other")
    )
    assert remove_stamps(one) == remove_stamps(other)
    assert digest_package(one) == digest_package(other) == digest_package(build_package(TEXT, stamp=Stamp()))
    assert one["CFAssociations"][0]["identifier"] != other["CFAssociations"][0]["identifier"]


def test_every_word_counts_for_the_digest() -> None:
    digests = {
        digest_package(build_package(text, stamp=Stamp()))
        for text in (
            TEXT,
            dataclasses.replace(TEXT, title=Words("Standards", "Autres normes")),
            dataclasses.replace(TEXT, licence="reserved"),
            dataclasses.replace(TEXT, starting_content=True),
            make_text(make_competency(SECOND, "B2"), make_competency(FIRST, "B1")),
            dataclasses.replace(
                TEXT, relations=(RelationText(type="precedes", origin=FIRST, destination=SECOND),)
            ),
        )
    }
    assert len(digests) == 6
