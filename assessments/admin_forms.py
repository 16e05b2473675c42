"""What an author's item or assessment must be before it is kept; what was typed is shown again with each refusal."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.forms.utils import ErrorList
from django.utils.translation import gettext as _
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.blocks import StreamBlockValidationError
from wagtail.models import Collection

from assessments.permissions import may_see, policy_of
from assessments.snippets import Assessment, Item


def _say(*sentences: str) -> StreamBlockValidationError:
    return StreamBlockValidationError(
        non_block_errors=ErrorList([ValidationError(text) for text in sentences])
    )


class CollectionForm(WagtailAdminModelForm):
    """Offers the collections in which the person may add; a key is used once in a collection and language."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "collection" in self.fields and self.for_user is not None:
            self._limit_collections()

    def _limit_collections(self) -> None:
        policy = policy_of(type(self.instance))
        allowed = policy.collections_user_has_permission_for(self.for_user, "add")
        if self.instance.pk:
            # Where it stands it may stay, for one who may change it but not add.
            allowed = allowed | Collection.objects.filter(pk=self.instance.collection_id)
        field: Any = self.fields["collection"]
        field.queryset = allowed
        field.empty_label = None
        field.label_from_instance = lambda collection: collection.get_indented_name()
        if not self.instance.pk and not allowed.filter(pk=self.instance.collection_id).exists():
            first = allowed.order_by("path").first()
            if first is not None:
                self.initial["collection"] = first.pk

    @property
    def _is_draft(self) -> bool:
        """Being previewed or kept while it is written: what is missing is not asked for yet."""
        return bool(getattr(self, "is_deferred_validation", False))

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if not self._is_draft:
            self._check_key(values)
            self.check_content(values)
        return values

    def _check_key(self, values: dict[str, Any]) -> None:
        key, collection = values.get("key"), values.get("collection") or self._kept_collection()
        if not key or collection is None:
            return
        others = type(self.instance).objects.filter(
            key=key, collection=collection, locale_id=self.instance.locale_id
        )
        if others.exclude(pk=self.instance.pk).exists():
            self.add_error(
                "key",
                _("Another one in this collection has the key “%(key)s”. Choose another.") % {"key": key},
            )

    def _kept_collection(self) -> Collection | None:
        return self.instance.collection if self.instance.collection_id else None

    def check_content(self, values: dict[str, Any]) -> None:
        """What the kind asks for; refusals are added to the fields they are about."""


class ItemForm(CollectionForm):
    def check_content(self, values: dict[str, Any]) -> None:
        kind = values.get("kind")
        if kind in {Item.Kind.SINGLE, Item.Kind.MULTIPLE}:
            self._check_options(kind, values)
        elif kind == Item.Kind.NUMERIC:
            if "answer" not in self.errors and values.get("answer") is None:
                self.add_error("answer", _("Give the right number."))
            if (values.get("tolerance") or 0) < 0:
                self.add_error("tolerance", _("A tolerance is zero or more."))
        elif (
            kind == Item.Kind.SHORT_TEXT
            and "accept" not in self.errors
            and not any(str(block.value).strip() for block in values.get("accept") or ())
        ):
            self.add_error("accept", _say(_("Give at least one accepted answer.")))
        points = values.get("points")
        if points is not None and points < 0:
            self.add_error("points", _("Points are zero or more."))

    def _check_accepted(self, values: dict[str, Any]) -> None:
        accepted = [str(block.value).strip() for block in values.get("accept") or ()]
        if "accept" not in self.errors and not any(accepted):
            self.add_error("accept", _say(_("Give at least one accepted answer.")))

    def _check_options(self, kind: str, values: dict[str, Any]) -> None:
        if "options" in self.errors:
            return
        options = [block.value for block in values.get("options") or ()]
        right = sum(bool(option["correct"]) for option in options)
        sentences = []
        if len(options) < 2:
            sentences.append(_("Give at least two options."))
        if kind == Item.Kind.SINGLE and right != 1:
            sentences.append(_("Mark exactly one option as right, or choose the kind “Multiple response”."))
        if kind == Item.Kind.MULTIPLE and not right:
            sentences.append(_("Mark at least one option as right."))
        if _repeats(option["key"] for option in options):
            sentences.append(_("Two options have the same key. Give one of them another, or leave it empty."))
        if sentences:
            self.add_error("options", _say(*sentences))


class AssessmentForm(CollectionForm):
    def clean(self) -> dict[str, Any]:
        values = super().clean()
        self._require_own_items(values)
        return values

    def _require_own_items(self, values: dict[str, Any]) -> None:
        """The chooser offers only what the person may see; whoever sends the number of another is refused."""
        if self.for_user is None:
            return
        kept = _chosen_items(type(self.instance)().sections)
        if self.instance.pk:
            stored = Assessment.objects.filter(pk=self.instance.pk).first()
            kept = _chosen_items(stored.sections) if stored else kept
        for pk, item in _chosen_items(values.get("sections") or ()).items():
            if pk not in kept and not may_see(self.for_user, item):
                raise PermissionDenied(_("One of the items is not in a collection that is open to you."))

    def check_content(self, values: dict[str, Any]) -> None:
        if values.get("kind") == Assessment.Kind.ASSIGNMENT:
            if not values.get("allow_text") and not values.get("allow_files"):
                self.add_error("allow_text", _("Let the learner write a text, send files, or both."))
            if "rubric" not in self.errors:
                self._check_rubric(values)
        elif "sections" not in self.errors:
            self._check_sections(values)
        mark = values.get("pass_mark")
        if mark is not None and not 0 <= mark <= 100:
            self.add_error("pass_mark", _("A pass mark is a percentage, from 0 to 100."))

    def _check_sections(self, values: dict[str, Any]) -> None:
        sentences = []
        for number, block in enumerate(values.get("sections") or (), start=1):
            section = block.value
            chosen = [item for item in section["items"] if item]
            if not chosen and not section["tag"] and not section["competency"]:
                sentences.append(
                    _("Section %(number)d has no question: choose items, or give a tag or a competency.")
                    % {"number": number}
                )
            if _repeats(item.pk for item in chosen):
                sentences.append(_("Section %(number)d has the same item twice.") % {"number": number})
            drawn = section["draw"]
            if drawn and chosen and not section["tag"] and not section["competency"] and drawn > len(chosen):
                sentences.append(
                    _("Section %(number)d draws %(drawn)d of %(count)d items. Draw fewer, or add items.")
                    % {"number": number, "drawn": drawn, "count": len(chosen)}
                )
        if sentences:
            self.add_error("sections", _say(*sentences))

    def _check_rubric(self, values: dict[str, Any]) -> None:
        criteria = [block.value for block in values.get("rubric") or ()]
        sentences = []
        for criterion in criteria:
            points = [level["points"] for level in criterion["levels"]]
            name = {"title": criterion["title"]}
            if len(points) < 2:
                sentences.append(_("The criterion “%(title)s” needs at least two levels.") % name)
            if any(higher <= lower for lower, higher in itertools.pairwise(points)):
                sentences.append(
                    _(
                        "Put the levels of “%(title)s” from lowest to highest: "
                        "each has more points than the one before."
                    )
                    % name
                )
        if _repeats(criterion["key"] for criterion in criteria):
            sentences.append(
                _("Two criteria have the same key. Give one of them another, or leave it empty.")
            )
        if sentences:
            self.add_error("rubric", _say(*sentences))


def _repeats(keys: Iterable[Any]) -> bool:
    given = [key for key in keys if key]
    return len(given) != len(set(given))


def _chosen_items(sections: Any) -> dict[int, Item]:
    return {item.pk: item for block in sections for item in block.value["items"] if item}
