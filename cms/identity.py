"""Name, contact and navigation of the site, read from the settings in the CMS.

Kept by each process for half a minute: they stand on every page and change once a year. An editor's change
shows at once in the process that saved it and within half a minute in the others.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any, Final

from wagtail.models import Page, Site

from cms.settings import NavigationLink, SiteSettings
from core.canonical import digest
from core.extensions import SiteIdentity

KEPT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the navigation: words by language, and a path by language."""

    place: str
    title: dict[str, str]
    path: dict[str, str]


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page."""

    identity: SiteIdentity
    links: tuple[Link, ...]
    # Says whether two frames are the same; what a page shows of one is put into words once.
    key: str


# When the frame was read, by the process's own clock, and the frame.
_kept: dict[str, tuple[float, Frame]] = {}


def forget_frame(**kwargs: Any) -> None:
    """Read the settings again at the next request; connected to their signals."""
    _kept.clear()


def read_frame() -> Frame:
    """The identity and the links. Up to five queries, at most once in half a minute and process."""
    if (kept := _kept.get("frame")) and time.monotonic() - kept[0] < KEPT_SECONDS:
        return kept[1]
    site = Site.objects.filter(is_default_site=True).first()
    settings = SiteSettings.for_site(site) if site else SiteSettings()
    identity, links = _read_identity(settings), tuple(_read_links(settings))
    frame = Frame(
        identity, links, key=digest({"identity": asdict(identity), "links": [asdict(one) for one in links]})
    )
    if site:
        _kept["frame"] = (time.monotonic(), frame)
    return frame


def site_identity() -> SiteIdentity:
    """The answer to `core.extensions.site_identity`."""
    return read_frame().identity


def _read_identity(settings: SiteSettings) -> SiteIdentity:
    return SiteIdentity(
        name={"en": settings.name_en, "fr": settings.name_fr},
        short_name={"en": settings.short_name_en, "fr": settings.short_name_fr},
        tagline={"en": settings.tagline_en, "fr": settings.tagline_fr},
        about={"en": settings.about_en, "fr": settings.about_fr},
        contact_email=settings.contact_email,
        website=settings.website,
        signatory_name=settings.signatory_name,
        signatory_title={"en": settings.signatory_title_en, "fr": settings.signatory_title_fr},
    )


def _read_links(settings: SiteSettings) -> list[Link]:
    if settings.pk is None:
        return []
    rows = list(NavigationLink.objects.filter(settings=settings).select_related("page__locale"))
    pages = [row.page for row in rows if row.page]
    versions: dict[Any, dict[str, Page]] = {}
    for version in (
        Page.objects.live()
        .filter(translation_key__in=[page.translation_key for page in pages])
        .select_related("locale")
    ):
        versions.setdefault(version.translation_key, {})[version.locale.language_code] = version
    links = []
    for row in rows:
        if row.page:
            found = versions.get(row.page.translation_key, {})
            path = {language: page.url or "" for language, page in found.items()}
        else:
            path = {language: f"/{language}{row.path}" for language in ("en", "fr")}
        links.append(Link(row.place, {"en": row.title_en, "fr": row.title_fr}, path))
    return links
