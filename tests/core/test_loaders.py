"""What is asked of a compiled template at each rendering is found once, and pages come out as Django makes them."""

from __future__ import annotations

from typing import Any

import pytest
from django.template import Context, Engine
from django.template.loader_tags import BlockNode, ExtendsNode

from core.loaders import ReadNodes

TEMPLATES = {
    "base.html": "<{% block a %}A{% endblock %}|{% if yes %}{% block b %}B{% endblock %}{% endif %}>",
    "middle.html": '{% extends "base.html" %}{% block b %}middle{% block c %}C{% endblock %}{% endblock %}',
    "page.html": '{% extends "middle.html" %}{% block a %}{{ block.super }}{{ who }}{% endblock %}'
    "{% block c %}{{ block.super }}!{% endblock %}",
    "plain.html": '{% extends "middle.html" %}'
    '{% block a %}{% with who="x" %}{{ who }}{% endwith %}{{ who }}{% endblock %}'
    "{% block c %}{% firstof who as name %}{{ name }}{% endblock %}",
    "around.html": "{% include 'plain.html' %} {% include 'page.html' %} {{ name }}",
    "of_variable.html": "{% extends parent %}{% block a %}a{% endblock %}",
    "looks_like_one.html": "{% block a %}{% include 'plain.html' %}{% endblock %}",
    "extends_including.html": '{% extends "looks_like_one.html" %}{% block b %}never{% endblock %}',
}
OURS = ["core.templatetags.blocks", "core.templatetags.kept"]


def make_engine(loader: str) -> Engine:
    return Engine(
        loaders=[(loader, [("django.template.loaders.locmem.Loader", TEMPLATES)])],
        builtins=OURS if loader.startswith("core") else [],
    )


@pytest.mark.parametrize("name", list(TEMPLATES))
def test_pages_are_those_of_django(name: str) -> None:
    engines = [make_engine(path) for path in ("core.loaders.Loader", "django.template.loaders.cached.Loader")]
    for who in ("Ana", "Zoë"):
        for yes in (True, False):
            ours, theirs = (
                engine.get_template(name).render(Context({"who": who, "yes": yes, "parent": "base.html"}))
                for engine in engines
            )
            assert ours == theirs


def test_a_page_that_needs_nothing_of_django_asks_nothing_of_it(monkeypatch: Any) -> None:
    def refuse(*args: Any) -> None:
        raise AssertionError("Django looked for the blocks.")

    engine = make_engine("core.loaders.Loader")
    monkeypatch.setattr(ExtendsNode, "render", refuse)
    assert (
        engine.get_template("plain.html").render(Context({"who": "Ana", "yes": True})) == "<xAna|middleAna>"
    )
    with pytest.raises(AssertionError):
        engine.get_template("page.html").render(Context())


def test_the_blocks_of_a_parent_are_looked_for_once(monkeypatch: Any) -> None:
    engine = make_engine("core.loaders.Loader")
    page, base = engine.get_template("page.html"), engine.get_template("base.html")
    assert isinstance(base.nodelist, ReadNodes)
    page.render(Context({"yes": True}))
    found = base.nodelist.get_nodes_by_type(BlockNode)
    assert [node.name for node in found] == ["a", "b"]
    assert base.nodelist.get_nodes_by_type(BlockNode) is found
