"""Forms of the administrators' screens in the CMS."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminModelForm

from accounts.audit_words import describe_action
from accounts.models import Organization, Role
from accounts.permissions import STAFF_ROLES
from accounts.selectors import list_audit_actions
from accounts.services.roles import NETWORK_ONLY
from core.languages import reading_language

PROVINCES = (
    ("", "–"),
    ("AB", _("Alberta")),
    ("BC", _("British Columbia")),
    ("MB", _("Manitoba")),
    ("NB", _("New Brunswick")),
    ("NL", _("Newfoundland and Labrador")),
    ("NS", _("Nova Scotia")),
    ("NT", _("Northwest Territories")),
    ("NU", _("Nunavut")),
    ("ON", _("Ontario")),
    ("PE", _("Prince Edward Island")),
    ("QC", _("Quebec")),
    ("SK", _("Saskatchewan")),
    ("YT", _("Yukon")),
)


class OrganizationForm(WagtailAdminModelForm):
    """A body that people act for."""

    province = forms.ChoiceField(label=_("Province or territory"), choices=PROVINCES, required=False)
    website = forms.URLField(label=_("Website"), required=False, assume_scheme="https")

    class Meta:
        model = Organization
        fields = ["name_en", "name_fr", "kind", "province", "slug", "website", "is_active"]
        labels = {"kind": _("Kind"), "slug": _("Short name in addresses"), "is_active": _("Active")}
        help_texts = {
            "slug": _(
                "Small letters, digits and hyphens. Addresses are made of it, so it is best left as it is."
            ),
            "is_active": _("One that is over is made inactive; its roles and certificates stay."),
        }


class OrganizationChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Organization) -> str:
        return obj.name_in(reading_language())


class PeopleFilter(forms.Form):
    """What to narrow the list of people by."""

    q = forms.CharField(label=_("Name or e-mail address"), required=False)
    what = forms.ChoiceField(
        label=_("Role"), required=False, choices=[("", _("any role or none")), *Role.What.choices]
    )
    organization = OrganizationChoice(
        label=_("Organization"),
        required=False,
        queryset=Organization.objects.all(),
        empty_label=_("any organization"),
    )


class RoleForm(forms.Form):
    """Which role, and for whom."""

    what = forms.ChoiceField(label=_("Role"), choices=[("", "–"), *Role.What.choices])
    organization = OrganizationChoice(
        label=_("Organization"), queryset=Organization.objects.filter(is_active=True)
    )

    def clean(self) -> dict[str, Any]:
        """What `grant_role` refuses is said at its field, with the rest of the form kept."""
        values = super().clean() or {}
        organization = values.get("organization")
        if (
            values.get("what") in STAFF_ROLES
            and organization
            and organization.kind != Organization.Kind.NETWORK
        ):
            self.add_error("organization", NETWORK_ONLY)
        return values


class HoldForm(forms.Form):
    """Why a person's records are to be kept."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_(
            "The law, the file number, and who decided. Administrators read it; the person does not."
        ),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class AuditFilter(forms.Form):
    """What to narrow the audit log by."""

    person = forms.CharField(
        label=_("Person"), required=False, help_text=_("An e-mail address, or the key of a person's records.")
    )
    action = forms.ChoiceField(label=_("Action"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["action"].choices = [  # type: ignore[attr-defined]
            ("", _("any")),
            *((action, describe_action(action)) for action in list_audit_actions()),
        ]
