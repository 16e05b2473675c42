"""Forms of the learner's screens. What they refuse, they refuse in sentences; the services decide."""

from __future__ import annotations

import uuid
from functools import lru_cache
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.permissions import roles_of
from core.pdf import find_unprintable
from lms import texts
from lms.models import Offering
from lms.selectors.catalogue import CatalogueFilter

LONGEST_NAME = 120


def check_printable(name: str) -> None:
    """Refuse a name that the certificate could not print, while it can still be written in another way."""
    if missing := find_unprintable(name):
        raise forms.ValidationError(
            _("A certificate cannot print these characters yet: %(characters)s. Write them in another way."),
            params={"characters": missing},
        )


class CertificateNameForm(forms.Form):
    """The name that stands on the certificate."""

    certificate_name = forms.CharField(
        label=_("Your name, as it should stand on the certificate"),
        max_length=LONGEST_NAME,
        help_text=_(
            "You can change it until the certificate is issued. After that, a correction is a new certificate."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={
            "required": _("Write your name as it should stand on the certificate."),
            "max_length": _("Write your name in at most 120 characters."),
        },
    )

    def clean_certificate_name(self) -> str:
        name = " ".join(self.cleaned_data["certificate_name"].split())
        check_printable(name)
        return name


class EnrolForm(CertificateNameForm):
    """What a learner says when they enrol. `enrolment` is made by the client: sent twice, it enrols once."""

    organization = forms.ModelChoiceField(
        queryset=Organization.objects.none(),
        required=False,
        label=_("Whom do you take it for?"),
        help_text=_(
            "Your organization does not see your answers. It may see counts, if you agree to that in your data."
        ),
        empty_label=_("For myself"),
    )
    enrolment = forms.UUIDField(widget=forms.HiddenInput)

    field_order = ("certificate_name", "organization", "enrolment")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["enrolment"].initial = uuid.uuid4
        self.fields["certificate_name"].initial = user.name
        organizations = {role.organization_id: role.organization for role in roles_of(user)}
        if not organizations:
            del self.fields["organization"]
            return
        field = self.fields["organization"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Organization.objects.filter(pk__in=list(organizations)).order_by("name_en")
        field.label_from_instance = lambda one: one.name_in(texts.language())  # type: ignore[method-assign, assignment]


class WithdrawForm(forms.Form):
    """A learner's confirmation that they leave a course."""

    reason = forms.CharField(
        label=_("Why are you leaving?"),
        required=False,
        max_length=2000,
        help_text=_("Only the team that runs the course reads this, and you can have it erased."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    client_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class CatalogueForm(forms.Form):
    """The filters of the catalogue, read from the address. What is not understood is left out."""

    TIMES = (("60", _("under an hour")), ("480", _("a day or less")), ("", _("any time")))
    KINDS = ((Offering.Kind.SELF_PACED, _("At my own pace")), (Offering.Kind.COHORT, _("With a cohort")))
    ORDERS = (("title", _("by name")), ("time", _("shortest first")), ("new", _("newest first")))

    time = forms.ChoiceField(label=_("I have"), choices=TIMES, required=False, widget=forms.RadioSelect)
    l = forms.MultipleChoiceField(  # noqa: E741
        label=_("Language"),
        choices=(("en", _("English")), ("fr", _("French"))),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    h = forms.MultipleChoiceField(
        label=_("How"), choices=KINDS, required=False, widget=forms.CheckboxSelectMultiple
    )
    open = forms.BooleanField(label=_("Only what I can begin now"), required=False)
    order = forms.ChoiceField(label=_("Order"), choices=ORDERS, required=False, widget=forms.RadioSelect)

    @cached_property
    def filter(self) -> CatalogueFilter:
        """The filter, also where part of the address was nonsense."""
        self.full_clean()
        said = self.cleaned_data
        time = said.get("time") or ""
        return CatalogueFilter(
            # "Under an hour" is a promise; a day is eight hours of work.
            minutes_at_most=int(time) if time else None,
            languages=frozenset(said.get("l") or ()),
            kinds=frozenset(said.get("h") or ()),
            open_now=bool(said.get("open")),
            order=said.get("order") or "title",
        )

    @cached_property
    def chosen(self) -> dict[str, str]:
        """What the address says, as it stands there, for the fields to show."""
        said = self.data
        return {
            "time": said.get("time", ""),
            "order": said.get("order", "title"),
            "open": said.get("open", ""),
        }

    @property
    def is_narrowed(self) -> bool:
        return self.filter != CatalogueFilter(order=self.filter.order)


@lru_cache(maxsize=64)
def _filters_of(query: str, language: str) -> CatalogueForm:
    return CatalogueForm(QueryDict(query))


def read_filters(query: str) -> CatalogueForm:
    """The filters that a query says. A process keeps one form a query: it holds nothing else."""
    return _filters_of(query, texts.language())
