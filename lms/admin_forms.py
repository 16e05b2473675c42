"""The form of an offering in the CMS."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.widgets import AdminDateInput

from accounts.admin_forms import OrganizationChoice
from accounts.models import Organization, Role, User
from accounts.time_zones import list_choices
from core.languages import reading_language
from lms.forms_desk import end_of_day
from lms.models import Enrolment, Offering
from lms.words import say_date
from modules.models import CourseEdition


class EditionChoice(forms.ModelChoiceField):
    """Course editions by title, number and day of issue."""

    def label_from_instance(self, obj: CourseEdition) -> str:
        return _t("%(course)s, edition %(number)d, issued %(date)s") % {
            "course": obj.title_in(reading_language()),
            "number": obj.number,
            "date": say_date(obj.issued_at, year=True),
        }


class PeopleChoice(forms.ModelMultipleChoiceField):
    """Instructors by name, with whom they teach for."""

    def label_from_instance(self, obj: User) -> str:
        language = reading_language()
        places = dict.fromkeys(
            role.organization.name_in(language)
            for role in obj.roles.all()
            if role.what == Role.What.INSTRUCTOR and role.ended_at is None
        )
        return ", ".join([obj.name or obj.email, *places])


def instructors() -> QuerySet[User]:
    """People who hold an instructor's role today, by name. Three queries."""
    return (
        User.objects.filter(is_active=True, roles__what=Role.What.INSTRUCTOR, roles__ended_at__isnull=True)
        .distinct()
        .order_by("sort_name", "email")
        .prefetch_related("roles__organization")
    )


class OfferingForm(WagtailAdminModelForm):
    """An offering. Days are days in its own time zone; who is enrolled keeps edition and place."""

    edition = EditionChoice(
        label=_("Course edition"),
        queryset=CourseEdition.objects.none(),
        help_text=_(
            "The newest edition stands first. Who enrols stays with this edition until the offering takes up a newer "
            "one."
        ),
    )
    organization = OrganizationChoice(label=_("Organization"), queryset=Organization.objects.none())
    partner = OrganizationChoice(
        label=_("Partner institution"),
        queryset=Organization.objects.none(),
        required=False,
        help_text=_(
            "The institution that countersigns its certificates. Leave it empty where there is none."
        ),
    )
    slug = forms.SlugField(
        label=_("Address"),
        required=False,
        max_length=120,
        help_text=_("The last part of its address. Leave it empty, and it is made from the English title."),
    )
    time_zone = forms.ChoiceField(label=_("Time zone"))
    first_day = forms.DateField(
        label=_("First day"),
        required=False,
        widget=AdminDateInput,
        help_text=_("Enrolling and learning begin on this day. Empty: at once."),
    )
    last_day = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=AdminDateInput,
        help_text=_(
            "Nothing more is recorded after this day. Empty: it never closes. If you move it later, everyone enrolled "
            "follows and is told; if you move it earlier, they keep the day they have."
        ),
    )
    instructors = PeopleChoice(
        label=_("Instructors"),
        queryset=User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "They see its learners and mark their work. People appear here once they have the role of an instructor; "
            "the instructors of the organization that runs it see it in any case."
        ),
    )

    class Meta:
        model = Offering
        fields: Sequence[str] = (
            "edition",
            "organization",
            "partner",
            "kind",
            "title_en",
            "title_fr",
            "slug",
            "time_zone",
            "seats",
            "is_listed",
            "instructors",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.enrolled = 0
        if not self.instance._state.adding:
            self.enrolled = Enrolment.objects.filter(offering=self.instance).count()
        zone = ZoneInfo(self.instance.time_zone)
        self._fill(
            "edition", CourseEdition.objects.defer("outline", "note").order_by("-issued_at", "-number")
        )
        active = Organization.objects.filter(is_active=True).order_by("name_en")
        self._fill("organization", active)
        self._fill("partner", active)
        self._fill("instructors", instructors())
        self.fields["time_zone"].choices = list_choices(self.instance.time_zone)
        self.fields["time_zone"].help_text = _("The days below are days there.")
        for name, moment in (("first_day", self.instance.opens_at), ("last_day", self.instance.closes_at)):
            self.initial[name] = timezone.localtime(moment, zone).date() if moment else None
        if self.enrolled:
            field = self.fields["edition"]
            field.disabled = True
            field.help_text = _(
                "People are enrolled, so the edition is not changed here: what they work on would change under their "
                "hands. “Newer edition”, at the top of this page, says what another one changes and who can go along."
            )

    def _fill(self, name: str, rows: QuerySet[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows

    def clean_slug(self) -> str:
        title = self.data.get(self.add_prefix("title_en"), "")
        slug = self.cleaned_data["slug"] or self._free_slug(slugify(title)[:100])
        if Offering.objects.filter(slug=slug).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("Another offering has this address. Choose another one."))
        return slug

    def _free_slug(self, wanted: str) -> str:
        base = wanted or "offering"
        taken = set(
            Offering.objects.filter(slug__startswith=base)
            .exclude(pk=self.instance.pk)
            .values_list("slug", flat=True)
        )
        number, slug = 1, base
        while slug in taken:
            number += 1
            slug = f"{base}-{number}"
        return slug

    def clean_seats(self) -> int | None:
        seats = self.cleaned_data["seats"]
        if seats is None or self.instance._state.adding:
            return seats
        taken = Enrolment.objects.filter(offering=self.instance, state=Enrolment.State.ACTIVE).count()
        if seats < taken:
            raise forms.ValidationError(
                ngettext(
                    "%(count)d person is enrolled. There must be at least as many places.",
                    "%(count)d people are enrolled. There must be at least as many places.",
                    taken,
                )
                % {"count": taken}
            )
        return seats

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        first, last = said.get("first_day"), said.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day comes before the first day. Choose a later one."))
        if said.get("kind") == Offering.Kind.COHORT and not (first and last):
            missing = "last_day" if first else "first_day"
            self.add_error(missing, _("A cohort learns together, so it needs a first and a last day."))
        zone = ZoneInfo(said.get("time_zone") or self.instance.time_zone)
        if "first_day" not in self.errors and "last_day" not in self.errors:
            self.instance.opens_at = datetime.combine(first, time(0), zone) if first else None
            self.instance.closes_at = end_of_day(last, zone) if last else None
        return said
