"""Templates are compiled once a process, and what is asked of a compiled template at every page is worked out once."""

from __future__ import annotations

from typing import Any

from django.template import Template
from django.template.base import Node, NodeList
from django.template.loaders import cached


class ReadNodes(NodeList):
    """The nodes of a compiled template, which change no more: those of a type are looked for once.

    `{% extends %}` looks for the blocks of its parent each time a page is rendered.
    """

    def __init__(self, nodes: NodeList) -> None:
        super().__init__(nodes)
        self.contains_nontext = nodes.contains_nontext
        self._by_type: dict[type[Node], list[Node]] = {}

    def get_nodes_by_type(self, nodetype: type[Node]) -> list[Node]:
        found = self._by_type.get(nodetype)
        if found is None:
            found = self._by_type[nodetype] = super().get_nodes_by_type(nodetype)
        return found


class Loader(cached.Loader):
    def get_template(self, template_name: str, skip: Any = None) -> Template:
        template = super().get_template(template_name, skip)
        if not isinstance(template.nodelist, ReadNodes):
            template.nodelist = ReadNodes(template.nodelist)
        return template
