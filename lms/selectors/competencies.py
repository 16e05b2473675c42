"""What a person holds of the standards: the map, and the evidence behind each standing."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Organization, Role
from core import clock
from core.kept import Kept, Shown, columns_of
from core.prepared import PreparedQuery, given_uuid
from lms import texts
from lms.models import Enrolment, Evidence, Standing
from lms.projections import read_evidence
from lms.rules import standing
from lms.words import say_date, say_points
from modules.selectors import outline_of, prime_outlines
from standards.models import EditionCompetency, EditionDomain, FrameworkEdition, Level

LEVELS = tuple(str(level) for level in Level)

# The state of a leaf, by how much it says.
HELD, UNDER_WAY, NONE = "held", "under_way", ""


@dataclass(frozen=True, kw_only=True)
class MapCell:
    """One domain at one level: a leaf a competency, and the words that say the same."""

    level: str
    states: tuple[str, ...]

    @property
    def level_word(self) -> str:
        return str(Level(self.level).label)

    @property
    def leaves(self) -> list[str]:
        """Full leaves before half ones before empty ones, so that a row can be read at a glance."""
        return sorted(self.states, key=[HELD, UNDER_WAY, NONE].index)

    @property
    def held(self) -> int:
        return sum(state == HELD for state in self.states)

    @property
    def under_way(self) -> int:
        return sum(state == UNDER_WAY for state in self.states)

    @property
    def text(self) -> str:
        if not self.states:
            return _("none yet")
        return _("%(held)d of %(total)d") % {"held": self.held, "total": len(self.states)}


@dataclass(frozen=True, kw_only=True)
class MapRow:
    """One domain of the standards."""

    domain: EditionDomain
    cells: tuple[MapCell, ...]

    @property
    def code(self) -> str:
        return self.domain.code

    @property
    def title(self) -> str:
        return self.domain.title_in(texts.language())


@dataclass(frozen=True, kw_only=True, eq=False)
class CompetencyMap(Shown):
    """Domains × levels of one framework edition, filled by a standing; the same for all who stand so.

    `states` hold for each competency of the edition, in its order, the state at each level.
    """

    edition: FrameworkEdition
    states: tuple[tuple[str, ...], ...]

    @property
    def shows(self) -> tuple[Hashable, ...]:
        return (columns_of(self.edition), self.states)

    @cached_property
    def rows(self) -> tuple[MapRow, ...]:
        waiting = iter(self.states)
        rows = []
        for domain, members in read_domains(self.edition.pk):
            states = [next(waiting) for _member in members]
            cells = (
                MapCell(level=level, states=tuple(known[place] for known in states))
                for place, level in enumerate(LEVELS)
            )
            rows.append(MapRow(domain=domain, cells=tuple(cells)))
        return tuple(rows)

    @property
    def title(self) -> str:
        return _("%(standards)s, edition %(number)d") % {
            "standards": self.edition.title_in(texts.language()),
            "number": self.edition.number,
        }

    @property
    def total(self) -> int:
        return sum(len(row.cells[0].states) for row in self.rows)

    @property
    def is_empty(self) -> bool:
        return not any(cell.held or cell.under_way for row in self.rows for cell in row.cells)

    def held_at(self, level: str) -> int:
        return sum(cell.held for row in self.rows for cell in row.cells if cell.level == level)

    @property
    def holds(self) -> list[str]:
        """“9 of 34 at the foundational level”, a level with any."""
        found = []
        for level in LEVELS:
            held = self.held_at(level)
            if held or level == LEVELS[0]:
                found.append(
                    _("%(held)d of %(total)d at the %(level)s level")
                    % {"held": held, "total": self.total, "level": str(Level(level).label).lower()}
                )
        return found

    @property
    def leaves(self) -> list[dict[str, object]]:
        """For `parts/rosace_standing.html`: a leaf grows by what is held at any level of its domain."""
        leaves = []
        for row in self.rows[:8]:
            best = [_best(states) for states in zip(*(cell.states for cell in row.cells), strict=True)]
            leaves.append(
                {
                    "code": row.code,
                    "held": best.count(HELD),
                    "under_way": best.count(UNDER_WAY),
                    "total": len(best) or 1,
                }
            )
        return leaves

    @property
    def label(self) -> str:
        """The picture in words."""
        said = ", ".join(
            _("%(domain)s %(held)d of %(total)d")
            % {"domain": leaf["code"], "held": leaf["held"], "total": leaf["total"]}
            for leaf in self.leaves
        )
        return _("Competencies held at any level, by domain: %(list)s") % {"list": said}


def _best(states: Iterable[str]) -> str:
    found = set(states)
    return HELD if HELD in found else UNDER_WAY if UNDER_WAY in found else NONE


def _editions_that_concern() -> QuerySet[FrameworkEdition]:
    subject = given_uuid("subject")
    learned = Enrolment.objects.filter(subject_id=subject).values("edition__framework_edition__framework_key")
    shown = Standing.objects.filter(subject_id=subject).values("competency__framework_key")
    return FrameworkEdition.objects.filter(
        Q(framework_key__in=learned) | Q(framework_key__in=shown)
    ).order_by("framework_key", "-number")


_read_editions: Final = PreparedQuery(
    _editions_that_concern,
    fields=[one.attname for one in FrameworkEdition._meta.concrete_fields if one.attname != "document"],
)
_read_standings: Final = PreparedQuery(lambda: Standing.objects.filter(subject_id=given_uuid("subject")))


def framework_editions_of(subject_id: uuid.UUID) -> list[FrameworkEdition]:
    """The standards that concern a person: those of their courses and of their evidence, each as it stands now.

    One query. Of each framework the adopted edition, else the newest.
    """
    return pick_editions(_read_editions.objects(subject=subject_id))


def pick_editions(editions: Iterable[FrameworkEdition]) -> list[FrameworkEdition]:
    """The edition in force of each framework: the adopted one, else the newest that was not withdrawn."""
    by_framework: dict[uuid.UUID, list[FrameworkEdition]] = defaultdict(list)
    for edition in editions:
        by_framework[edition.framework_key].append(edition)
    Status = FrameworkEdition.Status
    chosen = []
    for found in by_framework.values():
        adopted = [edition for edition in found if edition.status == Status.ADOPTED]
        standing_ones = [edition for edition in found if edition.status != Status.WITHDRAWN]
        chosen.append(max(adopted or standing_ones or found, key=lambda edition: edition.number))
    return sorted(chosen, key=lambda edition: edition.title_en)


_domains: Final[Kept[uuid.UUID, tuple[tuple[EditionDomain, tuple[uuid.UUID, ...]], ...]]] = Kept(64)


def read_domains(edition_id: uuid.UUID) -> tuple[tuple[EditionDomain, tuple[uuid.UUID, ...]], ...]:
    """The domains of an edition, each with the keys of its competencies. Two queries the first time, then none."""

    def read() -> tuple[tuple[EditionDomain, tuple[uuid.UUID, ...]], ...]:
        members: dict[int, list[uuid.UUID]] = defaultdict(list)
        rows = EditionCompetency.objects.filter(edition=edition_id).order_by("position")
        for domain_id, competency_id in rows.values_list("domain_id", "competency_id"):
            members[domain_id].append(competency_id)
        domains = EditionDomain.objects.filter(edition=edition_id).order_by("position")
        return tuple((domain, tuple(members[domain.pk])) for domain in domains)

    return _domains.read(edition_id, read)


def read_maps(subject_id: uuid.UUID) -> list[CompetencyMap]:
    """A person's map, one a framework that concerns them. Two queries, however many competencies there are."""
    editions = framework_editions_of(subject_id)
    if not editions:
        return []
    states = _read_states(subject_id)
    return [
        CompetencyMap(
            edition=edition,
            states=tuple(
                tuple(states.get((key, level), NONE) for level in LEVELS)
                for _domain, members in read_domains(edition.pk)
                for key in members
            ),
        )
        for edition in editions
    ]


def _read_states(subject_id: uuid.UUID) -> dict[tuple[uuid.UUID, str], str]:
    now = clock.now()
    return {
        (row.competency_id, row.level): row.state
        for row in _read_standings.objects(subject=subject_id)
        if row.valid_until is None or row.valid_until > now
    }


# --- The evidence -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class EvidenceRow:
    """One piece of evidence: what, when, with which result, judged by whom, until when."""

    evidence: Evidence
    what: str
    assessed_by: str
    code: str

    @property
    def level_word(self) -> str:
        return str(Level(self.evidence.level).label)

    @property
    def when(self) -> str:
        return say_date(self.evidence.valid_from, year=True)

    @property
    def result(self) -> str:
        result = self.evidence.result
        if "points" not in result or "max_points" not in result:
            return ""
        return say_points(Decimal(result["points"]), Decimal(result["max_points"]))

    @property
    def valid_until(self) -> str:
        if self.evidence.valid_until is None:
            return _("no end")
        return say_date(self.evidence.valid_until, year=True)

    @property
    def bearing(self) -> str:
        """What it is worth now, in words."""
        return {
            "holds": _("Holds"),
            "covers_lower": _("Holds, from a higher level"),
            "contributes": _("Contributes"),
            "expired": _("Expired"),
            "withdrawn": _("Taken back"),
            "not_valid_yet": _("Does not count yet"),
        }[self.code]

    @property
    def counts(self) -> bool:
        return self.code in ("holds", "covers_lower", "contributes")


@dataclass(frozen=True, kw_only=True)
class LevelStanding:
    """Where a person stands in one competency at one level, in words."""

    level: str
    state: str
    since: datetime | None
    valid_until: datetime | None
    expired: bool

    @property
    def level_word(self) -> str:
        return str(Level(self.level).label).lower()

    @property
    def picture(self) -> str:
        """For the tag `state`."""
        return {HELD: "ok", UNDER_WAY: "wait"}.get(self.state, "none")

    @property
    def sentence(self) -> str:
        if self.state == HELD and self.since:
            said = _("Held at the %(level)s level since %(date)s") % {
                "level": self.level_word,
                "date": say_date(self.since, year=True),
            }
            if self.valid_until:
                said = _("%(held)s, until %(date)s") % {
                    "held": said,
                    "date": say_date(self.valid_until, year=True),
                }
            return said
        if self.state == UNDER_WAY and self.since:
            return _("Under way at the %(level)s level since %(date)s") % {
                "level": self.level_word,
                "date": say_date(self.since, year=True),
            }
        return _("Expired or taken back at the %(level)s level") % {"level": self.level_word}


@dataclass(frozen=True, kw_only=True)
class CompetencyStanding:
    """One competency of a domain, with a person's standing in it and everything behind that."""

    competency: EditionCompetency
    levels: tuple[LevelStanding, ...]
    rows: tuple[EvidenceRow, ...]
    taught_in: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return self.competency.title_in(texts.language())


@dataclass(frozen=True, kw_only=True)
class DomainEvidence:
    """A domain of the standards with one person's evidence in it."""

    edition: FrameworkEdition
    domain: EditionDomain
    competencies: tuple[CompetencyStanding, ...]

    @property
    def title(self) -> str:
        return self.domain.title_in(texts.language())

    @property
    def place(self) -> int:
        """Which leaf of the rosace it is."""
        return self.domain.position

    def held_at(self, level: str) -> int:
        return sum(
            one.level == level and one.state == HELD for entry in self.competencies for one in entry.levels
        )

    @property
    def sentence(self) -> str:
        total = len(self.competencies)
        return ngettext(
            "You hold %(held)d of %(total)d competency at the foundational level.",
            "You hold %(held)d of %(total)d competencies at the foundational level.",
            total,
        ) % {"held": self.held_at(LEVELS[0]), "total": total}


def read_domain(subject_id: uuid.UUID, edition: FrameworkEdition, code: str) -> DomainEvidence | None:
    """One domain with the evidence behind each standing. Six queries, however much evidence there is."""
    domain = EditionDomain.objects.filter(edition=edition, code=code).first()
    if domain is None:
        return None
    competencies = list(
        EditionCompetency.objects.filter(domain=domain)
        .only("competency_id", "code", "position", "title_en", "title_fr")
        .order_by("position")
    )
    ids = [row.competency_id for row in competencies]
    entries = list(
        Evidence.objects.filter(subject_id=subject_id, edition_competency__competency_id__in=ids)
        .select_related(
            "edition_competency", "enrolment__edition", "enrolment__offering__organization", "assessor__user"
        )
        .defer("enrolment__edition__outline")
        .order_by("id")
    )
    prime_outlines({entry.enrolment.edition for entry in entries if entry.enrolment})
    assessors = _assessor_organizations(entries)
    now = clock.now()
    found = standing(map(read_evidence, entries), at=now)
    codes = {
        (reason.evidence, level): reason.code
        for (_competency, level), state in found.items()
        for reason in state.reasons
    }
    rows: dict[uuid.UUID, list[EvidenceRow]] = defaultdict(list)
    for entry in entries:
        if entry.retracts_id is None:
            rows[entry.edition_competency.competency_id].append(
                EvidenceRow(
                    evidence=entry,
                    what=_say_evidence(entry),
                    assessed_by=_say_assessor(entry, assessors),
                    code=codes.get((entry.pk, entry.level), "withdrawn"),
                )
            )
    return DomainEvidence(
        edition=edition,
        domain=domain,
        competencies=tuple(
            CompetencyStanding(
                competency=competency,
                levels=tuple(
                    LevelStanding(
                        level=level,
                        state="" if state.state.value == "not_yet" else state.state.value,
                        since=state.since,
                        valid_until=state.valid_until,
                        expired=state.state.value == "not_yet",
                    )
                    for level in LEVELS
                    if (state := found.get((competency.competency_id, level))) is not None
                ),
                rows=tuple(rows[competency.competency_id]),
            )
            for competency in competencies
        ),
    )


def _say_evidence(entry: Evidence) -> str:
    """What the evidence is, as the person knows it: the step's title and the course."""
    kind = str(Evidence.Kind(entry.kind).label)
    enrolment = entry.enrolment
    if enrolment is None or entry.step_key is None:
        return kind
    outline, language = outline_of(enrolment.edition), texts.language()
    for number, module in enumerate(outline.modules, start=1):
        for place, step in enumerate(module.steps, start=1):
            if step.key == entry.step_key:
                return _("%(kind)s %(number)s, %(title)s (%(course)s)") % {
                    "kind": texts.say_step_kind(step.kind),
                    "number": f"{number}.{place}",
                    "title": step.title_in(language),
                    "course": enrolment.edition.title_in(language),
                }
    return kind


def _say_assessor(entry: Evidence, organizations: Mapping[uuid.UUID, Organization]) -> str:
    if entry.assessor_id is None:
        return _("by rule") if entry.kind != Evidence.Kind.LESSON else _("not assessed: a lesson finished")
    user = entry.assessor.user if entry.assessor else None
    organization = organizations.get(user.pk) if user else None
    name = user.name if user else _("an assessor whose account is closed")
    return f"{name}, {organization.name_in(texts.language())}" if organization else name


def _assessor_organizations(entries: Sequence[Evidence]) -> dict[uuid.UUID, Organization]:
    """For whom each assessor instructs. One query, none without assessors."""
    users = {entry.assessor.user_id for entry in entries if entry.assessor and entry.assessor.user_id}
    if not users:
        return {}
    roles = Role.objects.filter(user_id__in=users, what=Role.What.INSTRUCTOR, ended_at__isnull=True)
    return {role.user_id: role.organization for role in roles.select_related("organization")}
