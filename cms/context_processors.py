"""What `templates/base.html` shows around every page: see the head of that file."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse, translate_url
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import Role
from accounts.permissions import STAFF_ROLES, has_role
from cms.identity import Frame, Link, read_frame
from cms.pages import LABELS
from cms.settings import NavigationLink


def frame(request: HttpRequest) -> dict[str, Any]:
    """No query but the person's roles, once the settings are kept (see `cms.identity`)."""
    language = (get_language() or "en")[:2]
    around = read_frame()
    identity = around.identity
    # Templates of the CMS itself are none of ours.
    if request.path.startswith("/admin/"):
        return {}
    return {
        "site": {
            "short_name": identity.short_name.get(language, ""),
            "name": identity.name.get(language, ""),
            "tagline": identity.tagline.get(language, ""),
            "about": identity.about.get(language, ""),
            "contact": identity.contact_email,
            "home_url": f"/{language}/",
            "key": around.key,
        },
        "navigation": [
            {**link, "current": request.path.startswith(link["url"])}
            for link in _links(around, NavigationLink.Place.NAVIGATION, language)
        ],
        "footer": [
            {"title": title, "links": links}
            for place, title in (
                (NavigationLink.Place.LEARN, _("Learn and practise")),
                (NavigationLink.Place.HELP, _("Help")),
                (NavigationLink.Place.ABOUT, _("About")),
            )
            if (links := _links(around, place, language))
        ],
        "language_links": language_links(request, language),
        "account_menu": account_menu(request),
        "search_url": reverse("cms:search"),
        "demo": settings.DEMO,
    }


def _links(around: Frame, place: str, language: str) -> list[dict[str, str]]:
    def show(link: Link) -> dict[str, str]:
        return {"title": link.title[language], "url": link.path[language]}

    return [show(link) for link in around.links if link.place == place and link.path.get(language)]


def language_links(request: HttpRequest, language: str) -> list[dict[str, str]]:
    """This same address in the other language. Pages of the CMS say their own: their slugs differ."""
    links = []
    for code, label in LABELS.items():
        if code == language:
            continue
        path = request.get_full_path()
        url = translate_url(path, code)
        if url == path:
            # An address without a language, such as a certificate's: the choice is kept in a cookie.
            url = f"{reverse('cms:switch_language', args=[code])}?next={path}"
        links.append({"code": code, "label": label, "url": url})
    return links


def account_menu(request: HttpRequest) -> list[dict[str, str]]:
    """The way to one's own screens, and to those of one's roles. One query for the roles."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    menu = [
        {"title": _("My learning"), "url": reverse("cms:my")},
        {"title": _("My certificates"), "url": reverse("certificates:mine")},
        {"title": _("My account and data"), "url": reverse("accounts:data")},
    ]
    if user.is_superuser or has_role(user, Role.What.INSTRUCTOR, Role.What.ADMINISTRATOR):
        menu.append({"title": _("My offerings"), "url": reverse("lms:offerings")})
    if has_role(user, Role.What.REGISTRAR):
        menu.append({"title": _("Check certificates"), "url": reverse("certificates:check")})
    if user.is_superuser or has_role(user, *STAFF_ROLES):
        menu.append({"title": _("Edit content"), "url": reverse("wagtailadmin_home")})
    return menu
