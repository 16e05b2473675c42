"""What `templates/base.html` shows around every page: see the head of that file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Role
from accounts.permissions import STAFF_ROLES, has_role
from cms.identity import Frame, read_frame
from cms.pages import LABELS
from cms.settings import NavigationLink
from core.addresses import address_in
from core.kept import Kept, Once
from core.languages import reading_language


@dataclass(frozen=True, slots=True)
class FrameLink:
    """A link of the frame; `current` where it leads to the part of the site one is in."""

    title: str
    url: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """The same page in another language."""

    code: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the footer."""

    title: str
    links: tuple[FrameLink, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SiteWords:
    """The site in one language; made once for the same settings, and the same only as itself."""

    short_name: str
    name: str
    tagline: str
    about: str
    contact: str
    home_url: str


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """What stands around every page in one language: a function of the settings in the CMS."""

    site: SiteWords
    navigation: Once[FrameLink]
    footer: Once[Column]


_around: Final[Kept[tuple[str, str], Around]] = Kept(16)


def frame(request: HttpRequest) -> dict[str, Any]:
    """No query, once the settings are kept (see `cms.identity`) and the person's roles are read."""
    # Templates of the CMS itself are none of ours.
    if request.path.startswith("/admin/"):
        return {}
    language = reading_language()
    settled = read_frame()
    around = _around.read((settled.key, language), lambda: _put_into_words(settled, language))
    return {
        "site": around.site,
        "navigation": _mark_current(
            around.navigation, tuple(request.path.startswith(link.url) for link in around.navigation)
        ),
        "footer": around.footer,
        "language_links": language_links(request, language),
        "account_menu": account_menu(request, language),
        "account_name": account_name(request),
        "search_url": address_in(language, "cms:search"),
        "sign_in_url": sign_in_url(request, language),
        "demo": settings.DEMO,
    }


def _put_into_words(settled: Frame, language: str) -> Around:
    identity = settled.identity
    columns = (
        (NavigationLink.Place.LEARN, _("Learn and practise")),
        (NavigationLink.Place.HELP, _("Help")),
        (NavigationLink.Place.ABOUT, _("About")),
    )
    return Around(
        site=SiteWords(
            short_name=identity.short_name.get(language, ""),
            name=identity.name.get(language, ""),
            tagline=identity.tagline.get(language, ""),
            about=identity.about.get(language, ""),
            contact=identity.contact_email,
            home_url=f"/{language}/",
        ),
        navigation=Once(_links(settled, NavigationLink.Place.NAVIGATION, language)),
        footer=Once(
            Column(title, links) for place, title in columns if (links := _links(settled, place, language))
        ),
    )


def _links(settled: Frame, place: str, language: str) -> tuple[FrameLink, ...]:
    return tuple(
        FrameLink(link.title[language], link.path[language])
        for link in settled.links
        if link.place == place and link.path.get(language)
    )


@lru_cache(maxsize=64)
def _mark_current(links: Once[FrameLink], current: tuple[bool, ...]) -> Once[FrameLink]:
    """The links, marked where they lead to the part of the site one is in."""
    return Once(replace(link, current=here) for link, here in zip(links, current, strict=True))


def language_links(request: HttpRequest, language: str) -> tuple[LanguageLink, ...]:
    """This same address in the other language. Pages of the CMS say their own: their slugs differ."""
    path = request.get_full_path()
    here = f"/{language}/"
    links = []
    for code, label in LABELS.items():
        if code == language:
            continue
        if path.startswith(here):
            url = f"/{code}/{path.removeprefix(here)}"
        else:
            # An address without a language, such as a certificate's: the choice is kept in a cookie.
            url = f"{address_in(language, 'cms:switch_language', code)}?next={path}"
        links.append(LanguageLink(code, label, url))
    return tuple(links)


def account_name(request: HttpRequest) -> str:
    """Who is signed in; nothing where nobody is."""
    user: Any = getattr(request, "user", None)
    return user.get_full_name() or user.email if user is not None and user.is_authenticated else ""


def sign_in_url(request: HttpRequest, language: str) -> str:
    """Where one signs in and comes back from to this page."""
    url = address_in(language, "account_login")
    return url if request.path == url else f"{url}?next={quote(request.path, safe='/')}"


def account_menu(request: HttpRequest, language: str) -> Once[FrameLink]:
    """The way to one's own screens, and to those of one's roles; empty where nobody is signed in. No query."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return _NO_MENU
    return _menu_of(
        language,
        teaches=user.is_superuser or has_role(user, Role.What.INSTRUCTOR, Role.What.ADMINISTRATOR),
        checks=has_role(user, Role.What.REGISTRAR),
        edits=user.is_superuser or has_role(user, *STAFF_ROLES),
    )


_NO_MENU: Final[Once[FrameLink]] = Once()


@lru_cache(maxsize=32)
def _menu_of(language: str, *, teaches: bool, checks: bool, edits: bool) -> Once[FrameLink]:
    menu = [
        FrameLink(_("My learning"), reverse("cms:my")),
        FrameLink(_("My certificates"), reverse("certificates:mine")),
        FrameLink(_("My account and data"), reverse("accounts:data")),
    ]
    if teaches:
        menu.append(FrameLink(_("My offerings"), reverse("lms:offerings")))
    if checks:
        menu.append(FrameLink(_("Check certificates"), reverse("certificates:check")))
    if edits:
        menu.append(FrameLink(_("Edit content"), reverse("wagtailadmin_home")))
    return Once(menu)
