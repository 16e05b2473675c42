"""{% kept %}: rendered once for all who would see the same, and never anybody's own."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.template import Context, Engine, TemplateSyntaxError
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from core.kept import Kept, Shown
from core.templatetags import kept as kept_tag

ENGINE = Engine.get_default


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    kept_tag.parts.forget()
    kept_tag.personal_parts.forget()


def render(template: Any, **values: Any) -> str:
    return str(template.render(Context(values)))


class Counted:
    """Says how often it was written down."""

    def __init__(self) -> None:
        self.times = 0

    def __str__(self) -> str:
        self.times += 1
        return "seen"


@dataclass(frozen=True, eq=False)
class Course(Shown):
    title: str
    secret: Any = field(default=None)

    @property
    def shows(self) -> tuple[Any, ...]:
        return (self.title,)


def test_a_part_is_rendered_once_for_the_same_values() -> None:
    template = ENGINE().from_string(
        "{% kept course=course %}{{ course.title }}{{ course.secret }}{% endkept %}"
    )
    counted = Counted()
    assert render(template, course=Course("Rural", counted)) == "Ruralseen"
    assert render(template, course=Course("Rural", counted)) == "Ruralseen"
    assert counted.times == 1
    assert render(template, course=Course("Urban", counted)) == "Urbanseen"


def test_lists_and_mappings_are_known_by_what_is_in_them() -> None:
    template = ENGINE().from_string(
        "{% kept rows=rows %}{% for row in rows %}{{ row.a }}{% endfor %}{% endkept %}"
    )
    rows = [{"a": 1}, {"a": 2}]
    assert render(template, rows=rows) == "12"
    rows[1]["a"] = 3
    assert render(template, rows=rows) == "13"


def test_nothing_else_is_seen_inside() -> None:
    template = ENGINE().from_string(
        "{{ person }}{% kept title=title %}{{ title }}[{{ person }}{{ request.path }}{{ user }}]{% endkept %}"
    )
    assert (
        render(template, title="Rural", person="Alex", request={"path": "/x/"}, user="Alex") == "AlexRural[]"
    )


def test_what_differs_is_filled_in_each_time_and_escaped() -> None:
    template = ENGINE().from_string(
        "{% load learning %}{% kept title=title fill name=person.name words=words %}"
        "{{ title }}: {{ name }}, {{ words|get:'a' }}{{ words|get:'b' }}{% endkept %}"
    )
    said = render(template, title="Rural", person={"name": "<Alex>"}, words={"a": "one & two"})
    assert said == "Rural: &lt;Alex&gt;, one &amp; two"
    assert (
        render(template, title="Rural", person={"name": "Kim"}, words={"b": "three"}) == "Rural: Kim, three"
    )


def test_what_is_filled_in_is_not_read_again() -> None:
    """Words that look like a place to fill stay words, and an author cannot write one either."""
    template = ENGINE().from_string(
        "{% kept title=title fill name=name %}{{ title }}{{ name }}{% csrf_token %}{% endkept %}"
    )
    mark = str(kept_tag.mark_place("csrf_token"))
    assert (
        "own-token"
        not in render(template, title="Rural", name=mark, csrf_token="own-token").split("<input")[0]
    )


def test_a_form_has_its_readers_token_and_a_key_of_its_own() -> None:
    template = ENGINE().from_string(
        "{% kept title=title %}{% csrf_token %}{% new_key %} {% new_key %}{% endkept %}"
    )
    first = render(template, title="Rural", csrf_token="token-of-alex")
    second = render(template, title="Rural", csrf_token="token-of-kim")
    assert "token-of-alex" in first
    assert "token-of-kim" in second
    assert "token-of-alex" not in second
    keys = [*first.split(">")[1].split(), *second.split(">")[1].split()]
    assert len({uuid.UUID(key) for key in keys}) == 4


def test_each_language_and_time_zone_has_its_own() -> None:
    template = ENGINE().from_string("{% load i18n tz %}{% kept at=at %}{{ at|date:'H:i F' }}{% endkept %}")
    at = timezone.datetime(2026, 3, 1, 12, tzinfo=timezone.get_fixed_timezone(0))
    with timezone.override("America/Toronto"), translation.override("en"):
        assert render(template, at=at) == "07:00 March"
    with timezone.override("America/Vancouver"), translation.override("fr"):
        assert render(template, at=at) == "04:00 mars"


def test_words_that_wait_for_their_language_are_no_trap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a word hashes by the language in force, so what was kept under it could be neither found nor dropped."""
    template = ENGINE().from_string(
        "{% load kept %}{% kept briefly words=words %}{% for _code, word in words %}{{ word }}{% endfor %}{% endkept %}"
    )
    words = (("yes", gettext_lazy("yes")), ("no", gettext_lazy("no")))
    for language, said in (("fr", "ouinon"), ("en", "yesno"), ("fr", "ouinon")):
        with translation.override(language):
            assert render(template, words=words) == said
    now = time.monotonic()
    monkeypatch.setattr("core.kept.time.monotonic", lambda: now + 61)
    assert render(template, words=words) == "yesno"


def test_two_places_of_a_template_are_two_parts() -> None:
    template = ENGINE().from_string("{% kept n=n %}a{{ n }}{% endkept %}{% kept n=n %}b{{ n }}{% endkept %}")
    assert render(template, n=1) == "a1b1"


def test_a_mistake_in_the_tag_is_said() -> None:
    with pytest.raises(TemplateSyntaxError, match="takes values, each with a name"):
        ENGINE().from_string("{% kept course %}x{% endkept %}")


def test_what_is_kept_briefly_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("core.kept.time.monotonic", lambda: now[0])
    template = ENGINE().from_string("{% kept briefly course=course %}{{ course.secret }}{% endkept %}")
    counted = Counted()
    render(template, course=Course("Rural", counted))
    now[0] += 59
    render(template, course=Course("Rural", counted))
    assert counted.times == 1
    now[0] += 2
    render(template, course=Course("Rural", counted))
    assert counted.times == 2


def test_old_values_are_dropped_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is about a person does not stay in memory because nobody asks for it any more."""
    now = [100.0]
    monkeypatch.setattr("core.kept.time.monotonic", lambda: now[0])
    store: Kept[str, str] = Kept(10, seconds=60)
    store.keep("alex", "a name")
    now[0] += 61
    assert store.find("kim") is None
    assert not store._entries
