"""Making the site: its two languages, its first pages, its settings, and what each group may do in the CMS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from markdown_it import MarkdownIt
from wagtail.models import (
    Collection,
    GroupCollectionPermission,
    GroupPagePermission,
    Locale,
    Page,
    Site,
)
from wagtail.rich_text import RichText

from cms.identity import forget_frame
from cms.pages import HomePage, PlainPage
from cms.settings import NavigationLink, SiteSettings
from core.sanitize import clean_kept
from core.yaml_files import parse_yaml

STARTING_CONTENT: Final = Path(__file__).parent / "starting_content" / "pages.yaml"

# What each group may do with models, by `app.codename`. Names of groups follow roles: see `accounts`.
GROUP_PERMISSIONS: Final[dict[str, list[str]]] = {
    "Administrators": [
        "wagtailadmin.access_admin",
        "cms.change_sitesettings",
        "standards.*",
        "assessments.*",
        "modules.*",
        "lms.*",
        "certificates.*",
        "accounts.add_organization",
        "accounts.change_organization",
        "accounts.view_organization",
        "accounts.view_role",
        "accounts.view_auditentry",
        "accounts.view_legalhold",
        "wagtail_localize.*",
    ],
    "Authors": [
        "wagtailadmin.access_admin",
        "modules.add_courseedition",
        "modules.view_courseedition",
        "standards.add_source",
        "standards.change_source",
        "standards.view_source",
        "wagtail_localize.submit_translation",
    ],
    "Committee": [
        "wagtailadmin.access_admin",
        "standards.add_frameworkedition",
        "standards.change_frameworkedition",
        "standards.view_frameworkedition",
        "standards.add_source",
        "standards.change_source",
        "standards.view_source",
        "wagtail_localize.submit_translation",
    ],
    "Certificates officers": [
        "wagtailadmin.access_admin",
        "certificates.view_certificate",
        "certificates.change_certificate",
        "certificates.add_statusentry",
    ],
}
# On the root collection, and so on all below it. Items and assessments have these permissions and no others: whoever
# works for one college is given that college's collection alone (see `assessments.banks`).
COLLECTION_PERMISSIONS: Final = {
    "Administrators": ["add", "change", "delete", "choose"],
    "Authors": ["add", "change", "choose"],
    "Committee": ["choose"],
}
ITEM_PERMISSIONS: Final = {
    "Administrators": ["add", "change", "delete", "view"],
    "Authors": ["add", "change", "delete", "view"],
}


@transaction.atomic
def set_up_site(*, report: Callable[[str], None] = lambda line: None) -> Site:
    """Make the site where there is none, and bring the groups' permissions up to date. Safe to run again."""
    content = parse_yaml(STARTING_CONTENT.read_text(encoding="utf-8"))
    locales = {code: Locale.objects.get_or_create(language_code=code)[0] for code in ("en", "fr")}
    site = Site.objects.filter(is_default_site=True).select_related("root_page").first()
    home = HomePage.objects.filter(pk=site.root_page_id).first() if site else None
    if home is None:
        home, site = _make_home(content, locales, site)
        report("The home page stands, in English and French.")
        _make_pages(content, home, locales)
        _make_settings(content, site)
        report("The first pages and the navigation stand.")
    assert site is not None
    grant_group_permissions()
    report("The groups of the CMS have their permissions.")
    forget_frame()
    return site


def _make_home(
    content: dict[str, Any], locales: dict[str, Locale], site: Site | None
) -> tuple[HomePage, Site]:
    root = Page.get_first_root_node()
    assert root is not None
    words = content["home"]
    english = HomePage(slug="learning", locale=locales["en"], **_home_words(words, "en"))
    root.add_child(instance=english)
    english.save_revision().publish()
    french = english.copy_for_translation(locales["fr"])
    french.slug = "apprendre"
    for name, value in _home_words(words, "fr").items():
        setattr(french, name, value)
    french.save_revision().publish()
    if site is None:
        site = Site(hostname="localhost", is_default_site=True)
    old = site.root_page if site.root_page_id else None
    site.root_page = english
    site.save()
    # Wagtail's own migration leaves a page that only says "Welcome to your new Wagtail site!".
    if old is not None and type(old.specific) is Page and not old.get_children().exists():
        old.delete()
    return english, site


def _home_words(words: dict[str, Any], language: str) -> dict[str, Any]:
    return {
        "title": words["title"][language],
        "promise": words["promise"][language],
        "lead": words["lead"][language],
        "ways_in": [
            ("way", {"title": way["title"][language], "text": way["text"][language], "path": way["path"]})
            for way in words["ways_in"]
        ],
    }


def _make_pages(content: dict[str, Any], home: HomePage, locales: dict[str, Locale]) -> None:
    markdown = MarkdownIt()

    def words(page: dict[str, Any], language: str) -> dict[str, Any]:
        html = clean_kept(markdown.render(page["body"][language]))
        return {
            "title": page["title"][language],
            "lead": page["lead"][language],
            "body": [("text", RichText(html))],
        }

    for page in content["pages"]:
        english = PlainPage(slug=page["slug"], locale=locales["en"], **words(page, "en"))
        home.add_child(instance=english)
        english.save_revision().publish()
        french = english.copy_for_translation(locales["fr"])
        french.slug = page["slug"]
        for name, value in words(page, "fr").items():
            setattr(french, name, value)
        french.save_revision().publish()


def _make_settings(content: dict[str, Any], site: Site) -> None:
    settings = SiteSettings.for_site(site)
    for name, value in content["settings"].items():
        setattr(settings, name, value)
    settings.links = [
        NavigationLink(
            place=link["place"],
            title_en=link["en"],
            title_fr=link["fr"],
            path=link.get("path", ""),
            page=Page.objects.filter(slug=link["page"], locale__language_code="en").first()
            if "page" in link
            else None,
        )
        for link in content["links"]
    ]
    settings.save()


def grant_group_permissions() -> None:
    """Give each group exactly the permissions listed here, on models, collections and the page tree."""
    homes = list(HomePage.objects.all())
    trainings = list(
        Page.objects.filter(content_type__app_label="modules", content_type__model="trainingpage")
    )
    frameworks = list(
        Page.objects.filter(content_type__app_label="standards", content_type__model="frameworkpage")
    )
    places: dict[str, list[tuple[Page, list[str]]]] = {
        "Administrators": [
            (home, ["add_page", "change_page", "publish_page", "lock_page", "unlock_page"]) for home in homes
        ],
        "Authors": [(home, ["add_page"]) for home in homes]
        + [(page, ["add_page", "change_page", "publish_page"]) for page in trainings],
        "Committee": [(page, ["add_page", "change_page", "publish_page"]) for page in frameworks],
    }
    for name, labels in GROUP_PERMISSIONS.items():
        group, _made = Group.objects.get_or_create(name=name)
        group.permissions.set(_find_permissions(labels))
        GroupPagePermission.objects.filter(group=group).delete()
        for page, codenames in places.get(name, []):
            for permission in Permission.objects.filter(
                content_type__app_label="wagtailcore", codename__in=codenames
            ):
                GroupPagePermission.objects.create(group=group, page=page, permission=permission)
        _grant_collections(group, COLLECTION_PERMISSIONS.get(name, []), ITEM_PERMISSIONS.get(name, []))


def _find_permissions(labels: list[str]) -> list[Permission]:
    found: list[Permission] = []
    for label in labels:
        app, codename = label.split(".")
        rows = Permission.objects.filter(content_type__app_label=app)
        found += list(rows if codename == "*" else rows.filter(codename=codename))
    return found


def _grant_collections(group: Group, verbs: list[str], item_verbs: list[str]) -> None:
    root = Collection.get_first_root_node()
    GroupCollectionPermission.objects.filter(group=group).delete()
    codenames = [f"{verb}_{model}" for verb in verbs for model in ("image", "document")]
    codenames += [f"{verb}_{model}" for verb in item_verbs for model in ("item", "assessment")]
    for permission in Permission.objects.filter(
        content_type__app_label__in=["wagtailimages", "wagtaildocs", "assessments"], codename__in=codenames
    ):
        GroupCollectionPermission.objects.create(group=group, collection=root, permission=permission)
