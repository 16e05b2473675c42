"""Organizations in the CMS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from wagtail.admin.views.generic import CreateView, EditView
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.permission_policies.base import BasePermissionPolicy
from wagtail.permissions import register_permission_policy

from accounts.admin_forms import OrganizationForm
from accounts.models import Organization, Role
from accounts.permissions import is_administrator
from accounts.services import record_audit, subject_of


class AdministratorsOnly(BasePermissionPolicy):
    """Administrators add and change; nobody deletes, because roles and certificates name what is here."""

    allowed = frozenset({"add", "change", "view"})

    def user_has_permission(self, user: Any, action: str) -> bool:
        return action in self.allowed and is_administrator(user)

    def user_has_any_permission(self, user: Any, actions: Iterable[str]) -> bool:
        return any(self.user_has_permission(user, action) for action in actions)

    def users_with_any_permission(self, actions: Iterable[str]) -> QuerySet[Any]:
        people = get_user_model().objects.filter(is_active=True)
        if not self.allowed & set(actions):
            return people.none()
        held = Q(roles__what=Role.What.ADMINISTRATOR, roles__ended_at__isnull=True)
        return people.filter(held | Q(is_superuser=True)).distinct()


register_permission_policy(Organization, AdministratorsOnly(Organization))


class OrganizationCreateView(CreateView):
    def save_instance(self) -> Organization:
        made: Organization = super().save_instance()
        record_audit(actor=subject_of(self.request.user), action="organization.made", target=made)
        return made


class OrganizationEditView(EditView):
    def save_instance(self) -> Organization:
        changed: Organization = super().save_instance()
        record_audit(
            actor=subject_of(self.request.user),
            action="organization.changed",
            target=changed,
            details={"fields": sorted(self.form.changed_data)},
        )
        return changed


class OrganizationViewSet(ModelViewSet):
    """Add and change organizations; one that is over is made inactive, never deleted."""

    model = Organization
    name = "organizations"
    url_prefix = "organizations"
    icon = "home"
    menu_label = _("Organizations")
    add_view_class = OrganizationCreateView
    edit_view_class = OrganizationEditView
    copy_view_enabled = False
    list_display = ("name_en", "name_fr", "kind", "province", "is_active")
    list_filter = ("kind", "province", "is_active")
    search_fields = ("name_en", "name_fr", "slug")
    ordering = ("name_en",)

    def get_form_class(self, for_update: bool = False) -> type[OrganizationForm]:
        return OrganizationForm


organizations = OrganizationViewSet()
