"""Django's `{% extends %}` and `{% block %}`, but which block stands where is found out once, not at each rendering.

It follows from the templates alone, unless a name of a parent is a variable, a template extends one of the same
name, or a block asks for what it replaced (`block.super`): such pages are rendered by Django's own code. See ADR 103.
"""

from __future__ import annotations

from typing import Any, Final, cast

from django import template
from django.template import Template
from django.template.base import NodeList, Parser, TextNode, Token, VariableNode
from django.template.context import Context
from django.template.loader_tags import (
    BLOCK_CONTEXT_KEY,
    BlockNode,
    ExtendsNode,
    IncludeNode,
    do_block,
    do_extends,
)
from django.utils.safestring import SafeString

from core.templatetags.kept import KeptNode

register = template.Library()

BLOCKS: Final = "blocks_of_page"
# Nodes that name nothing which those after them could see.
_NAMELESS: Final = (TextNode, VariableNode, KeptNode, IncludeNode, BlockNode)


class Block(BlockNode):
    """A block that looks up what stands in its place on this page."""

    def __init__(self, name: str, nodelist: NodeList, parent: Any = None) -> None:
        super().__init__(name, nodelist, parent)
        self.names_nothing = all(isinstance(node, _NAMELESS) for node in nodelist)

    def render(self, context: Context) -> SafeString:
        blocks = context.render_context.get(BLOCKS)
        if blocks is None:
            return super().render(context)
        block = blocks.get(self.name, self)
        if block.names_nothing:
            return block.nodelist.render(context)
        with context.push():
            return block.nodelist.render(context)


class Page(ExtendsNode):
    """A template that extends others by their names."""

    found: tuple[Template, dict[str, Block]] | None = None
    asked = False

    def render(self, context: Context) -> SafeString:
        state = context.render_context
        if not self.asked:
            self.found = self._find(cast(Template, state.template))
            self.asked = True
        if self.found is None or BLOCK_CONTEXT_KEY in state:
            # The second: a template that extends this one is rendered by Django.
            return super().render(context)
        root, blocks = self.found
        with state.push_state(root, isolated_context=False):
            state[BLOCKS] = blocks
            return cast(Any, root)._render(context)

    def _find(self, page: Template) -> tuple[Template, dict[str, Block]] | None:
        """The template at the root, and the block that stands in each place; None where Django has to say."""
        blocks: dict[str, Block] = {}
        chain = [page]
        while True:
            nodelist = chain[-1].nodelist
            for block in nodelist.get_nodes_by_type(BlockNode):
                if not isinstance(block, Block):
                    return None
                blocks.setdefault(block.name, block)
            if "block.super" in chain[-1].source:
                return None
            extends = next((node for node in nodelist if not isinstance(node, TextNode)), None)
            if not isinstance(extends, ExtendsNode):
                return chain[-1], blocks
            name: Any = extends.parent_name
            if name.filters or not isinstance(name.var, str):
                return None
            parent, _origin = page.engine.find_template(name.var)
            if any(parent.origin == one.origin for one in chain):
                return None
            chain.append(parent)


@register.tag
def block(parser: Parser, token: Token) -> Block:
    found = do_block(parser, token)
    return Block(found.name, found.nodelist)


@register.tag
def extends(parser: Parser, token: Token) -> Page:
    found = do_extends(parser, token)
    return Page(found.nodelist, found.parent_name)
