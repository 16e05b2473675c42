"""What a process keeps of a page is shown to nobody for whom it was not made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.template import Context, Template
from django.template.exceptions import TemplateSyntaxError
from django.utils import timezone, translation


def show(template: Template, **values: Any) -> str:
    return template.render(Context(values))


def test_a_part_is_another_for_other_values() -> None:
    template = Template(
        "{% kept name=person.name rows=rows %}{{ name }}{% for row in rows %} {{ row.n }}{% endfor %}{% endkept %}"
    )
    assert show(template, person={"name": "Lea"}, rows=[{"n": 1}]) == "Lea 1"
    assert show(template, person={"name": "Omar"}, rows=[{"n": 1}]) == "Omar 1"
    assert show(template, person={"name": "Lea"}, rows=[{"n": 2}]) == "Lea 2"
    assert show(template, person={"name": "Lea"}, rows=[{"n": 1}]) == "Lea 1"


def test_and_for_another_language_and_time_zone() -> None:
    template = Template(
        "{% load i18n %}{% kept at=at %}{% get_current_language as L %}{{ L }} {{ at|date:'H' }}{% endkept %}"
    )
    moment, found = datetime(2026, 1, 1, 12, tzinfo=UTC), set()
    for language in ("en", "fr"):
        for zone in ("America/Toronto", "America/Vancouver"):
            with translation.override(language), timezone.override(zone):
                found.add(show(template, at=moment))
    assert found == {"en 07", "en 04", "fr 07", "fr 04"}


def test_nothing_of_the_person_is_seen_inside() -> None:
    template = Template("{% kept %}[{{ user }}{{ request }}{{ name }}]{% endkept %}")
    context = Context({"user": "Lea", "request": "a request", "name": "Lea"})
    assert template.render(context) == "[]"
    with pytest.raises(TemplateSyntaxError, match="belongs to one person"):
        Template("{% kept %}{% csrf_token %}{% endkept %}").render(Context({"csrf_token": "x"}))
