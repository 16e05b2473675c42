"""What is asked of a compiled template at each rendering is found once, and pages come out as Django makes them."""

from __future__ import annotations

from typing import Any

import pytest
from django.template import Context, Engine
from django.template.loader_tags import BlockNode

from core.loaders import ReadNodes

TEMPLATES = {
    "base.html": "<{% block a %}A{% endblock %}|{% if yes %}{% block b %}B{% endblock %}{% endif %}>",
    "middle.html": '{% extends "base.html" %}{% block b %}middle{% block c %}C{% endblock %}{% endblock %}',
    "page.html": '{% extends "middle.html" %}{% block a %}{{ block.super }}{{ who }}{% endblock %}'
    "{% block c %}{{ block.super }}!{% endblock %}",
}


def make_engine(loader: str) -> Engine:
    return Engine(loaders=[(loader, [("django.template.loaders.locmem.Loader", TEMPLATES)])])


@pytest.mark.parametrize("name", list(TEMPLATES))
def test_pages_are_those_of_django(name: str) -> None:
    engines = [make_engine(path) for path in ("core.loaders.Loader", "django.template.loaders.cached.Loader")]
    for who in ("Ana", "Zoë"):
        for yes in (True, False):
            ours, theirs = (
                engine.get_template(name).render(Context({"who": who, "yes": yes})) for engine in engines
            )
            assert ours == theirs


def test_the_blocks_of_a_parent_are_looked_for_once(monkeypatch: Any) -> None:
    engine = make_engine("core.loaders.Loader")
    page, base = engine.get_template("page.html"), engine.get_template("base.html")
    assert isinstance(base.nodelist, ReadNodes)
    page.render(Context({"yes": True}))
    found = base.nodelist.get_nodes_by_type(BlockNode)
    assert [node.name for node in found] == ["a", "b"]
    assert base.nodelist.get_nodes_by_type(BlockNode) is found
