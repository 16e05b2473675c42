"""Making the site: its two languages, its first pages, its settings, and what each group may do in the CMS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Model
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
    """Give each group exactly the permissions listed here, on models, collections and the page tree.

    The same few queries for all groups; nothing is written where they have them already.
    """
    permissions = list(Permission.objects.select_related("content_type"))
    groups = {name: Group.objects.get_or_create(name=name)[0] for name in GROUP_PERMISSIONS}
    root = Collection.get_first_root_node()
    places = _list_places()
    models, pages, collections = set(), set(), set()
    for name, group in groups.items():
        models |= {(group.pk, one.pk) for one in permissions if _is_named(one, GROUP_PERMISSIONS[name])}
        pages |= {
            (group.pk, page, one.pk)
            for page, codenames in places.get(name, [])
            for one in permissions
            if one.content_type.app_label == "wagtailcore" and one.codename in codenames
        }
        on_items = _name_collection_permissions(name)
        collections |= {
            (group.pk, root.pk, one.pk)
            for one in permissions
            if (one.content_type.app_label, one.codename) in on_items
        }
    _put_rows(Group.permissions.through, groups, ("group_id", "permission_id"), models)
    _put_rows(GroupPagePermission, groups, ("group_id", "page_id", "permission_id"), pages)
    _put_rows(GroupCollectionPermission, groups, ("group_id", "collection_id", "permission_id"), collections)


def _list_places() -> dict[str, list[tuple[int, list[str]]]]:
    """What each group may do on which pages, and below them."""

    def keys(app: str, model: str) -> list[int]:
        pages = Page.objects.filter(content_type__app_label=app, content_type__model=model)
        return list(pages.values_list("pk", flat=True))

    homes, author = keys("cms", "homepage"), ["add_page", "change_page", "publish_page"]
    return {
        "Administrators": [
            (home, ["add_page", "change_page", "publish_page", "lock_page", "unlock_page"]) for home in homes
        ],
        "Authors": [(home, ["add_page"]) for home in homes]
        + [(page, author) for page in keys("modules", "trainingpage")],
        "Committee": [(page, author) for page in keys("standards", "frameworkpage")],
    }


def _is_named(permission: Permission, labels: Sequence[str]) -> bool:
    app = permission.content_type.app_label
    return f"{app}.*" in labels or f"{app}.{permission.codename}" in labels


def _name_collection_permissions(group: str) -> set[tuple[str, str]]:
    """Application and name of each permission that a group has on the root collection."""
    apps = {
        "image": "wagtailimages",
        "document": "wagtaildocs",
        "item": "assessments",
        "assessment": "assessments",
    }
    verbs = {
        **dict.fromkeys(("image", "document"), COLLECTION_PERMISSIONS.get(group, [])),
        **dict.fromkeys(("item", "assessment"), ITEM_PERMISSIONS.get(group, [])),
    }
    return {(apps[model], f"{verb}_{model}") for model in apps for verb in verbs[model]}


def _put_rows(
    model: type[Model], groups: Mapping[str, Group], columns: tuple[str, ...], wanted: Set[tuple[int, ...]]
) -> None:
    """Make the rows of these groups those that are wanted; those that are there stay."""
    there = {
        tuple(row[1:]): row[0]
        for row in model._default_manager.filter(
            group__in=[group.pk for group in groups.values()]
        ).values_list("pk", *columns)
    }
    model._default_manager.filter(pk__in=[key for row, key in there.items() if row not in wanted]).delete()
    # Another page that is published at the same time may have made them meanwhile.
    model._default_manager.bulk_create(
        (model(**dict(zip(columns, row, strict=True))) for row in sorted(wanted - there.keys())),
        ignore_conflicts=True,
    )
