"""`{% kept name=value … %}…{% endkept %}`: a part of a page that is rendered once for all who would see the same.

What stands inside sees nothing but the values it is kept under: no other variable, no request, no person. So it cannot
show one reader what was made for another, nor anything older than its values. The language and the time zone in force
always belong to them.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any, Final, NoReturn, cast

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.template.exceptions import TemplateSyntaxError
from django.utils import timezone, translation
from django.utils.safestring import SafeString

from core.kept import Kept

register = template.Library()

# About 60 MB a process at the very most, for parts of 30 kB; most are far smaller.
MOST_PARTS: Final = 2000
parts: Final[Kept[Hashable, SafeString]] = Kept(MOST_PARTS)

_GIVEN: Final = re.compile(r"(\w+)=(.+)")


class _Nobody:
    """Stands for the token of a form, which is one person's own: asking for it inside is a fault of the template."""

    def __bool__(self) -> NoReturn:
        raise TemplateSyntaxError("A form's token belongs to one person; it cannot stand in {% kept %}.")

    def __str__(self) -> str:
        return str(bool(self))


def _freeze(value: Any) -> Hashable:
    """The value as a key: lists and mappings by what is in them."""
    if isinstance(value, list | tuple):
        return tuple(map(_freeze, value))
    if isinstance(value, dict):
        return tuple((name, _freeze(one)) for name, one in value.items())
    return cast(Hashable, value)


class KeptNode(template.Node):
    """Gives the part kept under the values, or renders it with them alone."""

    def __init__(self, given: dict[str, FilterExpression], nodelist: NodeList) -> None:
        self.given = given
        self.nodelist = nodelist

    def render(self, context: Context) -> SafeString:
        values = {name: expression.resolve(context) for name, expression in self.given.items()}
        # The node stands for its place in the template; a template that is read again has new ones.
        key = (
            self,
            translation.get_language(),
            timezone.get_current_timezone_name(),
            *map(_freeze, values.values()),
        )
        found = parts.find(key)
        if found is None:
            found = parts.keep(key, self._render_alone(context, values))
        return found

    def _render_alone(self, context: Context, values: dict[str, Any]) -> SafeString:
        alone = Context({**values, "csrf_token": _Nobody()}, autoescape=context.autoescape)
        alone.template = context.template
        alone.render_context = context.render_context
        return self.nodelist.render(alone)


@register.tag
def kept(parser: Parser, token: Token) -> KeptNode:
    given = {}
    for bit in token.split_contents()[1:]:
        found = _GIVEN.fullmatch(bit)
        if found is None:
            raise TemplateSyntaxError("{% kept name=value … %} takes the values it is kept under, each with a name.")
        given[found[1]] = parser.compile_filter(found[2])
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    return KeptNode(given, nodelist)
