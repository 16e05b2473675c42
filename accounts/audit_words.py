"""What the codes of the audit log mean, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

_WORDS: dict[str, Any] = {
    "role.granted": _("A role was granted"),
    "role.ended": _("A role was ended"),
    "person.opened": _("The page of a person was opened"),
    "person.erased": _("An account was erased"),
    "file.opened": _("A file was opened"),
    "second_factor.reset": _("Two-step sign-in was reset"),
    "hold.placed": _("A legal hold was placed"),
    "hold.lifted": _("A legal hold was lifted"),
    "organization.made": _("An organization was added"),
    "organization.changed": _("An organization was changed"),
}


def name_actions(words: Mapping[str, Any]) -> None:
    """Give words to the actions that a floor logs; call it in `AppConfig.ready()` with lazy translations."""
    _WORDS.update(words)


def describe_action(action: str) -> str:
    """The action in words, or its code where no floor named it."""
    return str(_WORDS.get(action, action))
