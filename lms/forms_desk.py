"""Forms of the instructor's desk. What they refuse, they refuse in sentences; the services decide."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assessments.documents import Criterion
from assessments.models import Mark
from lms import texts
from lms.selectors.desk_roster import SHOWS, SORTS, RosterFilter
from lms.words import say_points

LONGEST_REASON = 2000
LONGEST_COMMENT = 10_000


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The last second of a day where the offering is."""
    return datetime.combine(day, time(23, 59, 59), zone)


class RosterForm(forms.Form):
    """What is asked of the roster, read from the address. What is not understood is left out."""

    show = forms.ChoiceField(choices=[(code, code) for code in SHOWS], required=False)
    sort = forms.ChoiceField(choices=[(code, code) for code in SORTS], required=False)
    q = forms.CharField(required=False, max_length=200)

    @classmethod
    def read_from(cls, data: Mapping[str, Any]) -> RosterFilter:
        """The filter, also where part of the address was nonsense. Nothing asked, no form made."""
        return cls(data).read() if data else RosterFilter()

    def read(self) -> RosterFilter:
        self.full_clean()
        said = self.cleaned_data
        show, sort = said.get("show") or SHOWS[0], said.get("sort") or SORTS[0]
        return RosterFilter(show=show, sort=sort, words=(said.get("q") or "").strip())


class ActionForm(forms.Form):
    """What every decision about a learner has: a reason, and a key that makes a repeat harmless."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "The learner can read it, and so can the others who teach this offering. It can be erased alone."
        ),
        error_messages={"required": _("Say why in a few words, so that it can be understood later.")},
    )
    client_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class WithdrawLearnerForm(ActionForm):
    """Withdrawing a learner."""


class ReinstateLearnerForm(ActionForm):
    """Taking a learner back."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False


class ExtendForm(ActionForm):
    """Until when a learner may go on. Days are days where the offering is."""

    last_day = forms.DateField(
        label=_("New last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Write the day as in 2026-12-31.")},
    )
    no_end = forms.BooleanField(label=_("No closing date any more"), required=False)

    field_order = ("last_day", "no_end", "reason", "client_id")

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.fields["last_day"].help_text = _("Open until the end of that day, %(zone)s time.") % {
            "zone": zone.key.replace("_", " ")
        }

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if "last_day" in self.errors:
            return said
        if said.get("no_end") and said.get("last_day"):
            self.add_error("last_day", _("Choose a day or no closing date, not both."))
        elif not said.get("no_end") and not said.get("last_day"):
            self.add_error("last_day", _("Choose the new last day."))
        return said

    @property
    def closes_at(self) -> datetime | None:
        """The moment that was chosen; None: no end."""
        day = self.cleaned_data.get("last_day")
        return end_of_day(day, self.zone) if day else None


class GrantForm(ActionForm):
    """More time in timed assessments, or more attempts, in one assessed step or in all of them."""

    FACTORS = (
        ("1", _("No more time")),
        ("1.25", _("A quarter more")),
        ("1.5", _("Half as much again")),
        ("2", _("Twice the time")),
        ("3", _("Three times the time")),
    )

    time_factor = forms.ChoiceField(
        label=_("Time in timed assessments"),
        choices=FACTORS,
        initial="1",
        help_text=_("It counts at once, also in an attempt that is under way."),
    )
    extra_attempts = forms.IntegerField(
        label=_("More attempts"),
        min_value=0,
        max_value=10,
        initial=0,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=_("Added to those that the assessment allows."),
        error_messages={
            "min_value": _("Write a whole number from 0 to 10."),
            "max_value": _("Write a whole number from 0 to 10."),
            "invalid": _("Write a whole number from 0 to 10."),
            "required": _("Write a whole number from 0 to 10."),
        },
    )
    step = forms.ChoiceField(label=_("Where"), required=False)
    last_day = forms.DateField(
        label=_("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty: as long as the learner is enrolled."),
        error_messages={"invalid": _("Write the day as in 2026-12-31.")},
    )

    field_order = ("time_factor", "extra_attempts", "step", "last_day", "reason", "client_id")

    def __init__(self, *args: Any, steps: Sequence[tuple[str, str]], zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        field = self.fields["step"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("In every assessment of the course")), *steps]
        self.fields["reason"].help_text = _(
            "Kept apart from the learning record and erasable alone. Say no more than is needed: a diagnosis never is."
        )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not self.errors and said["time_factor"] == "1" and not said["extra_attempts"]:
            self.add_error(
                "extra_attempts", _("Say how much more time or how many more attempts the learner gets.")
            )
        day = said.get("last_day")
        if day and end_of_day(day, self.zone) <= timezone.now():
            self.add_error("last_day", _("Choose a day in the future."))
        return said

    @property
    def factor(self) -> Decimal:
        return Decimal(self.cleaned_data["time_factor"])

    @property
    def step_key(self) -> uuid.UUID | None:
        return uuid.UUID(self.cleaned_data["step"]) if self.cleaned_data.get("step") else None

    @property
    def ends_at(self) -> datetime | None:
        day = self.cleaned_data.get("last_day")
        return end_of_day(day, self.zone) if day else None


class LevelSelect(forms.RadioSelect):
    """The levels of one criterion."""

    use_fieldset = True


class MarkForm(forms.Form):
    """A level for each criterion, what the marker says, and whether it is a mark or goes back for another try.

    `seen` is the key of the last mark that the page showed: who marked meanwhile is not overwritten.
    """

    PREFIX = "level-"

    comment = forms.CharField(
        required=False,
        max_length=LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Name one thing that works and the next thing to do."),
        error_messages={"max_length": _("Write at most 10,000 characters.")},
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    client_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    do = forms.ChoiceField(choices=Mark.Decision.choices, required=False)

    def __init__(
        self,
        *args: Any,
        rubric: Sequence[Criterion],
        name: str,
        levels: Mapping[str, int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rubric = rubric
        self.fields["comment"].label = _("What you say to %(name)s") % {"name": name}
        language = texts.language()
        for criterion in rubric:
            self.fields[self.PREFIX + criterion.key] = forms.TypedChoiceField(
                label=texts.say(criterion.title, language),
                choices=[
                    (str(index), texts.say(level.title, language))
                    for index, level in enumerate(criterion.levels)
                ],
                coerce=int,
                empty_value=None,
                required=False,
                widget=LevelSelect,
                initial=(levels or {}).get(criterion.key),
                error_messages={"invalid_choice": _("Choose one of these levels.")},
            )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if self.decision == Mark.Decision.RETURNED and not (said.get("comment") or "").strip():
            self.add_error(
                "comment", _("Say in the comment what to change, so that the learner can try again.")
            )
        if self.decision == Mark.Decision.MARKED:
            for criterion in self.rubric:
                name = self.PREFIX + criterion.key
                if name not in self.errors and said.get(name) is None:
                    self.add_error(name, _("Choose a level."))
        return said

    @property
    def decision(self) -> str:
        return self.cleaned_data.get("do") or Mark.Decision.MARKED

    @property
    def levels(self) -> dict[str, int]:
        """The levels that were chosen, by criterion."""
        return {
            criterion.key: self.cleaned_data[self.PREFIX + criterion.key]
            for criterion in self.rubric
            if self.cleaned_data.get(self.PREFIX + criterion.key) is not None
        }

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rubric as a grid of choices, each with its text and its points."""
        language = texts.language()
        rows = []
        for criterion in self.rubric:
            field = self[self.PREFIX + criterion.key]
            chosen = field.value()
            rows.append(
                {
                    "field": field,
                    "title": texts.say(criterion.title, language),
                    "competency": criterion.competency,
                    "levels": [
                        {
                            "value": index,
                            "id": f"{field.auto_id}_{index}",
                            "title": texts.say(level.title, language),
                            "text_html": texts.say(level.text_html, language),
                            "points": say_points(level.points, criterion.max_points),
                            "whole_points": int(level.points) if level.points == int(level.points) else None,
                            "checked": chosen is not None and str(chosen) == str(index),
                        }
                        for index, level in enumerate(criterion.levels)
                    ],
                }
            )
        return rows

    @property
    def counts_up(self) -> bool:
        """Whether the style sheet can add the points up: whole ones, and few."""
        return all(
            level["whole_points"] is not None and level["whole_points"] <= 10
            for row in self.rows
            for level in row["levels"]
        )
