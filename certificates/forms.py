"""Forms of the certificates' screens."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from certificates.models import StatusEntry
from certificates.services import CORRECTING, REINSTATING, REVOKING
from certificates.services.status import LONGEST_NAME

MOST_LOOKUPS: Final = 200
LASTS: Final = {"30": timedelta(days=30), "90": timedelta(days=90), "365": timedelta(days=365), "": None}


class CheckForm(forms.Form):
    """One certificate, by its number or its address."""

    number = forms.CharField(
        label=_("Number printed on the certificate"),
        max_length=2000,
        help_text=_("Such as 2026-041837-5Q. You may paste the address of its page instead."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )


class CheckManyForm(forms.Form):
    """Up to 200 certificates at once."""

    numbers = forms.CharField(
        label=_("Numbers or addresses, one a line"),
        max_length=60_000,
        help_text=_("At most 200. A column pasted from a spreadsheet will do."),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )


class ShareLinkForm(forms.Form):
    """A link for somebody."""

    label = forms.CharField(
        label=_("For whom"),
        max_length=100,
        required=False,
        help_text=_("Only you see this. Such as: HR of the Town of Pine Creek."),
    )
    lasts = forms.ChoiceField(
        label=_("How long it works"),
        required=False,
        initial="90",
        choices=[
            ("30", _("30 days")),
            ("90", _("90 days")),
            ("365", _("One year")),
            ("", _("Until I close it")),
        ],
    )

    def clean_lasts(self) -> timedelta | None:
        return LASTS[self.cleaned_data["lasts"]]


class CorrectionRequestForm(forms.Form):
    """The name as it should stand on the certificate."""

    holder_name = forms.CharField(label=_("Your name as it should stand"), max_length=LONGEST_NAME)
    note = forms.CharField(
        label=_("Anything we should know"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class CountersignForm(forms.Form):
    """Credits that the institution recognizes, if any."""

    credits = forms.DecimalField(
        label=_("Credits recognized in your own programme"),
        required=False,
        min_value=Decimal("0.01"),
        max_value=Decimal("999"),
        max_digits=5,
        decimal_places=2,
    )


def _reasons(*codes: str) -> list[tuple[str, Any]]:
    return [(code, StatusEntry.Reason(code).label) for code in codes]


class RevokeForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("Why"),
        choices=_reasons(*REVOKING),
        widget=forms.RadioSelect,
        help_text=_("Everyone who checks the certificate reads this."),
    )
    note = forms.CharField(
        label=_("Note for the file"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Only certificates officers and the holder, in their own data, can read this."),
    )
    client_id = forms.UUIDField(widget=forms.HiddenInput)


class ReinstateForm(RevokeForm):
    reason = forms.ChoiceField(
        label=_("Why"),
        choices=_reasons(*REINSTATING),
        widget=forms.RadioSelect,
        help_text=_("Everyone who checks the certificate reads this."),
    )


class ReissueForm(RevokeForm):
    holder_name = forms.CharField(label=_("Name on the new certificate"), max_length=LONGEST_NAME)
    reason = forms.ChoiceField(
        label=_("What is corrected"),
        choices=_reasons(*CORRECTING),
        widget=forms.RadioSelect,
        help_text=_(
            "A new name keeps every other fact as it was. A corrected fact takes them all from the records as they "
            "are today. Everyone who checks the old certificate reads the reason."
        ),
    )
    field_order = ("holder_name", "reason", "note")
