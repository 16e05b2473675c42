"""What one person typed is text on every page that shows it to another, in both languages.

Everything that a person types has the same words in it, which would run where they are not escaped; every page of the
table of routes is then read as a browser reads it, by everybody who may open it.
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Final

import pytest
from django.core import mail
from django.db import transaction

from accounts.mail import compose_mail
from tests.config.routes import World, make_quiet_world
from tests.config.test_every_route import ADDRESSES, ROWS, ask, expect, is_of_the_cms

CANARY: Final = """ "'></script><canary onpointerover=x>{{7*7}}"""
# Who reads what others wrote; the rest have nothing to open that these have not.
READERS: Final = ("lrn", "oth", "ins", "reg", "off", "adm")
# Pages that nobody's words are on, or that make them anew at a cost; files are attachments of their own kind.
LISTS: Final = (
    "/admin/",
    "/admin/organizations/",
    "/admin/offerings/",
    "/admin/offerings/edit/{offering_pk}/",
    "/admin/organizations/edit/{college}/",
    "/admin/reports/site-history/",
)


class Reader(HTMLParser):
    """Finds what the words would have become, had they been taken for markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.shown = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag.startswith("canary") or any(name.startswith("onpointerover") for name, _value in attrs):
            self.found.append(f"{self.getpos()}: {self.get_starttag_text()}")

    def handle_data(self, data: str) -> None:
        self.shown += data.count("<canary")
        if "=x>49" in data:
            self.found.append(f"{self.getpos()}: the words were run as a template")


@pytest.fixture(scope="module")
def marked_world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock():
        yield from make_quiet_world(words=CANARY)


def read(world: World, code: str, path: str) -> Reader | None:
    """What is on a page; None for what is no page."""
    answer = ask(world, code, "get", path)
    if answer.streaming or not answer["Content-Type"].startswith("text/html"):
        return None
    reader = Reader()
    reader.feed(answer.content.decode())
    reader.close()
    return reader


def test_nobodys_words_become_markup_on_anybodys_page(marked_world: World) -> None:
    wrong, shown = [], set()
    for name, (words, got, _posted) in ROWS.items():
        path = marked_world.path(ADDRESSES[name].pattern, words)
        letters = expect(got)
        codes = READERS if len(got) > 2 else ("adm",)
        for code in codes:
            if letters.get(code) != "2":
                continue
            for place in {path, path.replace("/en/", "/fr/", 1)}:
                page = read(marked_world, code, place)
                if page is None:
                    continue
                wrong += [f"{place} by {code}, {fault}" for fault in page.found]
                if page.shown:
                    shown.add(name)
    assert not wrong, "\n".join(wrong)
    # Else nothing was tested.
    assert {
        "accounts:data",
        "certificates:cohorts",
        "certificates:holder",
        "certificates_admin:list",
        "certificates_admin:show",
        "certificates_public:certificate",
        "accounts_admin:people",
        "accounts_admin:person",
        "accounts_admin:holds",
        "accounts_admin:audit",
        "lms:catalogue",
        "lms:course",
        "lms:mark",
        "lms:offering",
        "lms:learner",
        "lms:step",
        "cms:my",
    } - shown == set()


@pytest.mark.parametrize("path", LISTS)
def test_nor_in_the_lists_of_the_cms(marked_world: World, path: str) -> None:
    page = read(marked_world, "adm", path.format(**marked_world.keys))
    assert page is not None
    assert page.found == []


def test_every_mail_escapes_them_too(marked_world: World) -> None:
    """The mails of all this were sent by tasks that wait; here one is made of each kind that names a person."""
    user = marked_world.users["lrn"]
    with transaction.atomic():
        message = compose_mail(
            to=user.email,
            template="notice",
            context={"user": user, "text": f"News.{CANARY}", "address": "https://example.org/"},
            language="fr",
        )
    (html,) = [part for part, kind in message.alternatives if kind == "text/html"]  # type: ignore[misc]
    reader = Reader()
    reader.feed(str(html))
    assert reader.found == []
    assert reader.shown
    assert mail.outbox == []


def test_the_table_is_whole() -> None:
    """The rows are those of the URL configuration (see there); what Wagtail made is in `LISTS`."""
    assert any(is_of_the_cms(route) for route in ADDRESSES.values())
