"""Who may see and edit items and assessments: by the collections that a person's groups were given.

A permission on a collection holds for those below it. `view` lets a person see, preview and choose; `add`, `change`
and `delete` are what they say. What stands in a collection without any of these is not there for the person: 404.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from wagtail.permission_policies.collections import CollectionPermissionPolicy
from wagtail.permissions import policy_registry, register_permission_policy

from assessments.models import Assessment, Item

MODELS: Final = (Item, Assessment)
ACTIONS: Final = ("add", "change", "delete", "view")


def register_policies() -> None:
    """One policy a model, which Wagtail's screens, choosers and links ask."""
    for model in MODELS:
        register_permission_policy(model, CollectionPermissionPolicy(model))


def policy_of(model: Any) -> CollectionPermissionPolicy:
    return policy_registry.get_by_type(model)


def visible_to(user: Any, model: Any) -> QuerySet[Any]:
    """The items or assessments that the person may see, in all languages. Two queries the first time a request."""
    return policy_of(model).instances_user_has_any_permission_for(user, ACTIONS)


def may_see(user: Any, thing: Item | Assessment) -> bool:
    return bool(policy_of(type(thing)).user_has_any_permission_for_instance(user, ACTIONS, thing))


def may(user: Any, action: str, thing: Item | Assessment) -> bool:
    return bool(policy_of(type(thing)).user_has_permission_for_instance(user, action, thing))


def require(user: Any, thing: Item | Assessment, *actions: str) -> None:
    """404 for what the person may not see, 403 for what they may see but not do (any of `actions`)."""
    if not may_see(user, thing):
        raise Http404
    if actions and not any(may(user, action, thing) for action in actions):
        raise PermissionDenied


def require_key(user: Any, model: Any, key: uuid.UUID, *actions: str) -> None:
    """The same for all languages of a thing, by its translation key; one that is nowhere is 404 too."""
    versions = list(model.objects.filter(translation_key=key).select_related("collection"))
    if not versions:
        raise Http404
    for version in versions:
        require(user, version, *actions)


class CollectionBackend(BaseBackend):
    """Lets `user.has_perm` on items and assessments say what the collections say: *somewhere*, or for one thing.

    Parts of the CMS that ask for a model's permission (translating) then agree with the policy; which thing it is
    about is checked where the thing is known.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        label, _dot, codename = perm.partition(".")
        action, _line, name = codename.partition("_")
        if label != "assessments" or action not in ACTIONS:
            return False
        for model in MODELS:
            if model._meta.model_name == name:
                if isinstance(obj, model):
                    return may(user_obj, action, obj)
                return obj is None and bool(policy_of(model).user_has_permission(user_obj, action))
        return False
