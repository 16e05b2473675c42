"""`{% kept name=value … %}…{% endkept %}`: a part of a page that is rendered once for all who would see the same.

What stands inside sees nothing but the values it is kept under: no other variable, no request, no person. So it cannot
show one reader what was made for another, nor anything older than its values. The language and the time zone in force
always belong to them.

`{% kept name=value … fill name=value … %}` names after `fill` what differs from reader to reader and is only written
down: it is put in, escaped, each time the part is shown. Inside it can be printed (`{{ name }}`, or of a mapping
`{{ name|get:key }}`) and nothing else: it always seems to be there. A form's token and `{% new_key %}` are filled in by
themselves.

`{% kept briefly … %}` keeps a part for a minute: for what is about a person, which has to be gone soon after it is
erased.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.template.exceptions import TemplateSyntaxError
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from core.kept import Kept, Once

register = template.Library()

# What a place to fill begins and ends with: made anew by each process, so that no text can pretend to be one.
_MARK: Final = secrets.token_hex(12)
_PLACE: Final = re.compile(f"{_MARK}(.*?){_MARK}", re.DOTALL)
# Without one of these, escaping a text changes nothing.
_SPECIAL: Final = re.compile("[&<>\"']")
_GIVEN: Final = re.compile(r"(\w+)=(.+)")
TOKEN: Final = "csrf_token"  # noqa: S105
NEW_KEY: Final = "new_key"


def mark_place(name: str, key: str = "") -> SafeString:
    """What stands in a kept part where something is filled in."""
    return SafeString(f"{_MARK}{name}|{key}{_MARK}")


@dataclass(frozen=True, slots=True)
class Places:
    """A mapping that is filled in key by key."""

    name: str

    def get(self, key: object, default: object = None) -> SafeString:
        return mark_place(self.name, str(key))

    def __str__(self) -> str:
        return mark_place(self.name)

    def __html__(self) -> str:
        return mark_place(self.name)


def make_reader(expression: FilterExpression) -> Callable[[Context], Any]:
    """What gives the expression's value: attributes of a variable are read at once, all else is resolved by Django.

    Django tries a key, an attribute and an index for each part of a name, which takes ten times as long.
    """
    lookups = getattr(expression.var, "lookups", None)
    if expression.filters or not lookups or getattr(expression.var, "translate", False):
        return expression.resolve
    first, *others = lookups

    def read(context: Context) -> Any:
        try:
            value = context[first]
            for name in others:
                value = getattr(value, name)
        except (AttributeError, KeyError):
            return expression.resolve(context)
        return expression.resolve(context) if callable(value) else value

    return read


@dataclass(frozen=True, slots=True)
class Part:
    """A rendered part: texts, and between them the places to fill, as name and key."""

    texts: tuple[str, ...]
    places: tuple[tuple[str, str], ...]

    @classmethod
    def from_text(cls, text: str) -> Part:
        pieces = _PLACE.split(text)
        places = [place.partition("|") for place in pieces[1::2]]
        return cls(tuple(pieces[::2]), tuple((name, key) for name, _bar, key in places))

    def fill(self, context: Context, filled: Mapping[str, Callable[[Context], Any]]) -> SafeString:
        """The part with what this reader's values say."""
        if not self.places:
            return SafeString(self.texts[0])
        values = {name: read(context) for name, read in filled.items()}
        written = [self.texts[0]]
        for (name, key), text in zip(self.places, self.texts[1:], strict=True):
            if name in values:
                value = values[name].get(key, "") if key else values[name]
                plain = type(value) is str and _SPECIAL.search(value) is None
                written += (value if plain else str(conditional_escape("" if value is None else value)), text)
            else:
                written += (str(uuid.uuid4()) if name == NEW_KEY else str(context.get(TOKEN, "")), text)
        return SafeString("".join(written))


parts: Final[Kept[Hashable, Part]] = Kept(2000)
personal_parts: Final[Kept[Hashable, Part]] = Kept(500, seconds=60)


def _freeze(value: Any) -> Hashable:
    """The value as a key: lists and mappings by what is in them, a word that waits for its language as it reads now.

    Such a word is hashed by what it says, so as a key it would be lost as soon as another language is in force.
    """
    key: Hashable = value
    if type(value) in _AS_THEY_ARE:
        return key
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, list | tuple):
        return tuple(map(_freeze, value))
    if isinstance(value, dict):
        return tuple([(name, _freeze(one)) for name, one in value.items()])
    return key


_AS_THEY_ARE: Final = frozenset({str, bool, int, type(None), SafeString, uuid.UUID, Once})


def _where(context: Context) -> tuple[Any, ...]:
    """The language and the time zone in force, asked for once a page: no template of ours changes them on its way."""
    state: Any = context.render_context
    try:
        where: tuple[Any, ...] = state.kept_where
    except AttributeError:
        # Beside its values, which each included template has anew.
        where = state.kept_where = translation.get_language(), timezone.get_current_timezone_name()
    return where


class KeptNode(template.Node):
    """Gives the part kept under the values, or renders it with them alone."""

    def __init__(
        self,
        *,
        given: dict[str, Callable[[Context], Any]],
        filled: dict[str, Callable[[Context], Any]],
        nodelist: NodeList,
        store: Kept[Hashable, Part],
    ) -> None:
        self.given = given
        self.filled = filled
        self.nodelist = nodelist
        self.store = store

    def render(self, context: Context) -> SafeString:
        values = {name: read(context) for name, read in self.given.items()}
        # The node stands for its place in the template; a template that is read again has new ones.
        key = (self, _where(context), *map(_freeze, values.values()))
        found = self.store.find(key)
        if found is None:
            found = self.store.keep(key, Part.from_text(self._render_alone(context, values)))
        return found.fill(context, self.filled)

    def _render_alone(self, context: Context, values: dict[str, Any]) -> str:
        places = {name: Places(name) for name in self.filled}
        alone = Context(
            {**values, **places, TOKEN: mark_place(TOKEN), KEPT: True}, autoescape=context.autoescape
        )
        alone.template = context.template
        alone.render_context = context.render_context
        return self.nodelist.render(alone)


# Tells a tag that it stands in a kept part.
KEPT: Final = "_kept"


@register.tag
def kept(parser: Parser, token: Token) -> KeptNode:
    given: dict[str, Callable[[Context], Any]] = {}
    filled: dict[str, Callable[[Context], Any]] = {}
    _name, *bits = token.split_contents()
    briefly = bits[:1] == ["briefly"]
    into = given
    for bit in bits[briefly:]:
        if bit == "fill" and into is given:
            into = filled
            continue
        found = _GIVEN.fullmatch(bit)
        if found is None:
            raise TemplateSyntaxError(
                "{% kept name=value … fill name=value … %} takes values, each with a name."
            )
        into[found[1]] = make_reader(parser.compile_filter(found[2]))
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    return KeptNode(given=given, filled=filled, nodelist=nodelist, store=personal_parts if briefly else parts)


@register.simple_tag(takes_context=True)
def new_key(context: Context) -> str:
    """A client-made UUID for one rendered form: sent twice, it is answered with the first result."""
    return mark_place(NEW_KEY) if KEPT in context else str(uuid.uuid4())
