"""Makers of items and assessments as authors edit them, in collections of their own."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.test import Client
from wagtail.models import Collection, GroupCollectionPermission, Locale

from accounts.models import User
from assessments.models import Assessment, Item
from standards.models import Competency

VERBS = ("add", "change", "delete", "view")


def make_collection(name: str) -> Collection:
    root = Collection.get_first_root_node()
    assert root is not None
    return root.add_child(name=name)


def blocks(kind: str, values: Sequence[Any]) -> str:
    return json.dumps([{"type": kind, "id": str(uuid.uuid4()), "value": value} for value in values])


def make_options(*texts: str, right: int = 0, suffix: str = "") -> str:
    return blocks(
        "option",
        [
            {
                "key": f"o{n}",
                "text": f"{text}{suffix}",
                "correct": n == right,
                "feedback": f"On {text}{suffix}.",
            }
            for n, text in enumerate(texts)
        ],
    )


def make_item(
    key: str,
    *,
    collection: Collection,
    french: bool = True,
    competency: Competency | None = None,
    **values: Any,
) -> Item:
    """A single choice between two, with its French translation unless told otherwise; the English one."""
    english, other = (Locale.objects.get_or_create(language_code=code)[0] for code in ("en", "fr"))
    fields = {"kind": "single", "competency": competency, "collection": collection, "key": key, **values}
    words = {"stem": f"<p>Question of {key}?</p>", "options": make_options("Yes", "No")}
    item = Item.objects.create(locale=english, **{**words, **fields})
    item.save_revision(clean=False)
    if french:
        words = {"stem": f"<p>Question sur {key}?</p>", "options": make_options("Oui", "Non")}
        Item.objects.create(locale=other, translation_key=item.translation_key, **{**words, **fields})
    return item


def make_quiz(
    title: str, *, items: Sequence[Item] = (), collection: Collection, french: bool = True, **values: Any
) -> Assessment:
    """A quiz of these items in one section, in both languages; the English one."""
    made: list[Assessment] = []
    for code in ("en", "fr")[: 2 if french else 1]:
        locale = Locale.objects.get_or_create(language_code=code)[0]
        chosen = [
            Item.objects.filter(translation_key=item.translation_key, locale=locale).first() or item
            for item in items
        ]
        section = {
            "title": "",
            "items": json.loads(blocks("item", [item.pk for item in chosen])),
            "draw": None,
            "tag": "",
            "competency": "",
        }
        made.append(
            Assessment.objects.create(
                locale=locale,
                collection=collection,
                title=title if code == "en" else f"{title} (fr)",
                **{
                    "key": title.lower().replace(" ", "-"),
                    "sections": blocks("section", [section]),
                    **values,
                    **({"translation_key": made[0].translation_key} if made else {}),
                },
            )
        )
        made[-1].save_revision(clean=False)
    return made[0]


def make_editor(name: str, *, collection: Collection, verbs: Sequence[str] = VERBS) -> User:
    """Somebody who may enter the CMS and do this with the items and assessments of one collection."""
    user = User.objects.create_user(f"{name}@example.org", "safer-communities", name=name, is_staff=True)
    group = Group.objects.create(name=f"Group of {name}")
    group.permissions.add(*Permission.objects.filter(codename__in=["access_admin", "submit_translation"]))
    for verb in verbs:
        for model in ("item", "assessment"):
            permission = Permission.objects.get(
                content_type__app_label="assessments", codename=f"{verb}_{model}"
            )
            GroupCollectionPermission.objects.create(
                group=group, collection=collection, permission=permission
            )
    user.groups.add(group)
    return user


def enter(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
