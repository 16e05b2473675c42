"""The small pictures that stand many times on a page: icons, leaves, states, the path of steps.

Tags instead of included templates, because a page holds dozens of them and an include costs thirty times as much.
They are built in (`TEMPLATES`), so no template has to load them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from functools import lru_cache
from html import escape
from typing import Any, Final

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from core.addresses import address_with_key

register = template.Library()

SPRITE: Final = "img/icons.svg"
STATE_ICONS: Final = {"ok": "done", "wait": "wait", "stop": "warn"}
STEP_ICONS: Final = {"done": "done", "here": "here", "wait": "wait", "locked": "lock"}
LEAVES: Final = {"held": ("leaf", "leaf"), "under_way": ("leaf", "leaf-half")}


def find_sprite() -> str:
    """The address of the drawing that holds every icon."""
    return str(staticfiles_storage.url(SPRITE))


@lru_cache(maxsize=256)
def _draw_icon(name: str, css: str, label: str, sprite: str) -> SafeString:
    return format_html(
        '<svg class="icon{}"{}><use href="{}#{}"/></svg>',
        f" {css}" if css else "",
        format_html(' role="img" aria-label="{}"', label) if label else mark_safe(' aria-hidden="true"'),
        sprite,
        name,
    )


@register.simple_tag
def icon(name: str, css: str = "", label: str = "") -> SafeString:
    """One icon of static/img/icons.svg, as large as the text; spoken only with a `label`.

    Names: search arrow back down download print external done here todo wait lock warn stop replaced info flag
    practice play mail offline leaf leaf-half leaf-none.
    """
    return _draw_icon(name, css, str(label), find_sprite())


@lru_cache(maxsize=8)
def _draw_leaf(state: str, sprite: str) -> SafeString:
    css, name = LEAVES.get(state, ("leaf none", "leaf-none"))
    return format_html(
        '<svg class="{}" viewBox="0 0 16 24" aria-hidden="true"><use href="{}#{}"/></svg>', css, sprite, name
    )


@register.simple_tag
def leaf(state: str) -> SafeString:
    """One leaf is one competency: “held”, “under_way”, anything else not yet. The words stand beside it."""
    return _draw_leaf(str(state), find_sprite())


@register.simple_tag
def leaves(states: Iterable[str]) -> SafeString:
    """A row of leaves."""
    return format_html('<span class="leaves">{}</span>', mark_safe("".join(leaf(one) for one in states)))


@register.simple_tag
def dots(kinds: Iterable[str]) -> SafeString:
    """A column of dots, one a person: “moving” or “stuck”. The numbers stand beside it."""
    drawn = {"moving": '<span class="dot moving"></span>', "stuck": '<span class="dot stuck"></span>'}
    return mark_safe("".join(drawn[kind] for kind in kinds))


@register.simple_tag
def state(kind: str, text: Any) -> SafeString:
    """A state as a word with a shape and a colour: “ok”, “wait”, “stop” or “none”."""
    picture = icon(STATE_ICONS[kind]) if kind in STATE_ICONS else ""
    return format_html('<span class="state {}">{}<span>{}</span></span>', kind, picture, text)


@register.simple_tag
def saved(when: str = "", note: str = "") -> SafeString:
    """Says when an answer was last kept (“2:41 p.m.” or nothing); static/js/autosave.js speaks here."""
    return format_html(
        '<p class="saved"><span class="state{}" role="status" data-saved>{}<span>{}</span></span>{}</p>',
        " ok" if when else "",
        icon("done"),
        when,
        format_html("<span>{}</span>", note) if note else "",
    )


@register.simple_tag
def path(steps: Iterable[Any], label: str = "", base: Any = "") -> SafeString:
    """Steps on a line: `{title, url, state, note}` each, named by `label`; `base` stands before their addresses.

    The state is “done”, “here”, “wait” (begun, something is missing), “locked” or “todo”; the note says it in words.
    """
    return format_html(
        '<ol class="path"{}>{}</ol>',
        format_html(' aria-label="{}"', label) if label else "",
        format_html_join("", "{}", ((_draw_step(step, base),) for step in steps)),
    )


def _draw_step(step: Any, base: Any) -> SafeString:
    def read(name: str) -> Any:
        return step.get(name, "") if isinstance(step, Mapping) else getattr(step, name, "")

    kind, url, title, note = read("state"), read("url"), read("title"), read("note")
    here = kind == "here"
    if url and not here:
        name = format_html('<a href="{}{}">{}</a>', base, url, title)
    else:
        name = format_html("<span{}>{}</span>", mark_safe(' class="now"') if here else "", title)
    return format_html(
        '<li class="{}"{}>{}{}{}</li>',
        kind,
        mark_safe(' aria-current="step"') if here else "",
        icon(STEP_ICONS.get(kind, "todo")),
        name,
        format_html(" <small{}>{}</small>", mark_safe(' class="wait"') if kind == "wait" else "", note)
        if note
        else "",
    )


@register.simple_tag
def language_links(links: Iterable[Any]) -> SafeString:
    """The same page in the other languages, for readers: [{code, label, url}]."""
    return _write_links('<a href="{url}" lang="{code}" hreflang="{code}">{label}</a>', links)


@register.simple_tag
def language_alternates(links: Iterable[Any]) -> SafeString:
    """The same, in the head of the page, for programs."""
    return _write_links('<link rel="alternate" hreflang="{code}" href="{url}">\n', links)


def _write_links(form: str, links: Iterable[Any]) -> SafeString:
    """Each link in that form, everything in it escaped. Every page has two of these; Django's way takes 80 calls."""
    written = []
    for code, label, url in map(_read_link, links or ()):
        written.append(form.format(code=escape(str(code)), label=escape(str(label)), url=escape(str(url))))
    return SafeString("".join(written))


def _read_link(link: Any) -> tuple[str, str, str]:
    """Links of the frame are objects, those that a page of the CMS gives are mappings."""
    if isinstance(link, Mapping):
        return link["code"], link["label"], link["url"]
    return link.code, link.label, link.url


@register.simple_tag
def address(name: str, key: uuid.UUID) -> str:
    """As `{% url name key %}`, for an address with one key in it that stands on many pages."""
    return address_with_key(name, key)
