"""What this floor adds to the CMS: items and assessments, their check, and permissions by collection."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, include, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from wagtail import hooks
from wagtail.admin.forms.collections import collection_member_permission_formset_factory
from wagtail.models import Collection
from wagtail.snippets.bulk_actions.delete import DeleteBulkAction
from wagtail.snippets.models import register_snippet

from assessments import admin_views
from assessments.permissions import MODELS, may_see
from assessments.snippets import Assessment, Item
from assessments.translating import guard
from assessments.viewsets import AssessmentsGroup

register_snippet(AssessmentsGroup)


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern | URLResolver]:
    addresses = [path("check/<slug:model_name>/<int:pk>/", admin_views.check, name="check")]
    return [path("assessments/", include((addresses, "assessments_admin"), namespace="assessments_admin"))]


@hooks.register("register_admin_urls", order=-1)
def register_guarded_urls() -> list[URLPattern]:
    """Before those of wagtail-localize, under the same addresses, so that its links lead here."""
    return [path("localize/<path:rest>", guard)]


@hooks.register("register_bulk_action", order=100)
class DeleteOpenThings(DeleteBulkAction):
    """Wagtail's, which shows by name what a person may not delete: what they may not see is left out."""

    models = list(MODELS)

    def get_actionable_objects(self) -> Any:
        objects, others = super().get_actionable_objects()
        seen = [thing for thing in others["items_with_no_access"] if may_see(self.request.user, thing)]
        return objects, {"items_with_no_access": seen}


# --- Permissions by collection, on the screen of a group ---------------------------------------------------------

GroupItemPermissionFormSet = collection_member_permission_formset_factory(
    Item,
    [
        ("add_item", _("Add"), _("Add items")),
        ("change_item", _("Edit"), _("Edit items, with their answer keys")),
        ("delete_item", _("Delete"), _("Delete items that no edition uses")),
        ("view_item", _("See"), _("See, preview and choose items")),
    ],
    "assessments/admin/item_permissions.html",
)
GroupAssessmentPermissionFormSet = collection_member_permission_formset_factory(
    Assessment,
    [
        ("add_assessment", _("Add"), _("Add assessments")),
        ("change_assessment", _("Edit"), _("Edit assessments")),
        ("delete_assessment", _("Delete"), _("Delete assessments that no edition uses")),
        ("view_assessment", _("See"), _("See, preview and choose assessments")),
    ],
    "assessments/admin/assessment_permissions.html",
)


@hooks.register("register_group_permission_panel")
def register_item_permissions() -> Any:
    return GroupItemPermissionFormSet


@hooks.register("register_group_permission_panel")
def register_assessment_permissions() -> Any:
    return GroupAssessmentPermissionFormSet


# --- A collection that still holds something is not deleted ------------------------------------------------------


@hooks.register("describe_collection_contents")
def describe_items(collection: Collection) -> dict[str, Any] | None:
    count = Item.objects.filter(collection=collection).count()
    if not count:
        return None
    return {
        "count": count,
        "count_text": ngettext("%(count)s item", "%(count)s items", count) % {"count": count},
        "url": f"{reverse(Item.snippet_viewset.get_url_name('list'))}?collection={collection.pk}",
    }


@hooks.register("describe_collection_contents")
def describe_assessments(collection: Collection) -> dict[str, Any] | None:
    count = Assessment.objects.filter(collection=collection).count()
    if not count:
        return None
    return {
        "count": count,
        "count_text": ngettext("%(count)s assessment", "%(count)s assessments", count) % {"count": count},
        "url": f"{reverse(Assessment.snippet_viewset.get_url_name('list'))}?collection={collection.pk}",
    }
