"""The REST API of this floor: the catalogue for everyone, one's own learning, an instructor's offerings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.services import record_audit, subject_of
from core import clock
from core.api_fields import Bilingual, BilingualField, both
from lms.models import Enrolment, Evidence, Offering, Standing
from lms.permissions import find_taught, offerings_for
from lms.selectors.catalogue import find_course, latest_editions
from modules.models import CourseEdition
from modules.selectors import outline_of, prime_outlines
from standards.models import Level

# --- What is answered ---------------------------------------------------------------------------------------------


class OrganizationOutput(serializers.Serializer[Any]):
    slug = serializers.SlugField()
    name = BilingualField("name")


class OfferingOutput(serializers.Serializer[Any]):
    """A way to take a course. `seats_left` is null where there is no limit; `opens_at` and `closes_at` may be null."""

    slug = serializers.SlugField()
    title = BilingualField("title")
    kind = serializers.ChoiceField(choices=Offering.Kind.choices)
    organization = OrganizationOutput()
    opens_at = serializers.DateTimeField(allow_null=True)
    closes_at = serializers.DateTimeField(allow_null=True)
    time_zone = serializers.CharField()
    seats_left = serializers.SerializerMethodField()

    def get_seats_left(self, offering: Any) -> int | None:
        return None if offering.seats is None else max(0, offering.seats - offering.taken)


class CourseOutput(serializers.Serializer[Any]):
    """A course as last issued."""

    slug = serializers.SlugField()
    key = serializers.UUIDField(source="course_key", help_text="The same in every edition.")
    edition = serializers.IntegerField(source="number")
    title = BilingualField("title")
    languages = serializers.ListField(child=serializers.CharField())
    minutes = serializers.IntegerField()
    valid_months = serializers.IntegerField(allow_null=True, help_text="Null: its certificate has no end.")
    issued_at = serializers.DateTimeField()
    lead = serializers.SerializerMethodField()

    @extend_schema_field(Bilingual)
    def get_lead(self, edition: CourseEdition) -> dict[str, str]:
        return both(outline_of(edition).lead)


class MappedOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Permanent; also its CASE identifier.")
    code = serializers.CharField()
    level = serializers.ChoiceField(choices=Level.choices)


class StepOutput(serializers.Serializer[Any]):
    key = serializers.UUIDField()
    slug = serializers.CharField()
    kind = serializers.CharField()
    title = Bilingual()
    minutes = serializers.IntegerField()
    required = serializers.BooleanField()
    open_to_public = serializers.BooleanField()
    competencies = MappedOutput(many=True)


class ModuleOutput(serializers.Serializer[Any]):
    key = serializers.UUIDField()
    title = Bilingual()
    steps = StepOutput(many=True)


class WholeCourseOutput(CourseOutput):
    """A course with its outline and the offerings that are listed."""

    modules = serializers.SerializerMethodField()
    offerings = serializers.SerializerMethodField()

    @extend_schema_field(ModuleOutput(many=True))
    def get_modules(self, edition: CourseEdition) -> list[dict[str, Any]]:
        return [
            {
                "key": str(module.key),
                "title": both(module.title),
                "steps": [
                    {
                        "key": str(step.key),
                        "slug": step.slug,
                        "kind": step.kind,
                        "title": both(step.title),
                        "minutes": step.minutes,
                        "required": step.required,
                        "open_to_public": step.open_to_public,
                        "competencies": [
                            {"id": str(one.id), "code": one.code, "level": one.level}
                            for one in step.competencies
                        ],
                    }
                    for step in module.steps
                ],
            }
            for module in outline_of(edition).modules
        ]

    @extend_schema_field(OfferingOutput(many=True))
    def get_offerings(self, edition: CourseEdition) -> Any:
        listed = Offering.objects.filter(
            Q(closes_at__isnull=True) | Q(closes_at__gt=clock.now()),
            is_listed=True,
            edition__course_key=edition.course_key,
        )
        return OfferingOutput(_with_places(listed).order_by("created_at"), many=True).data


class ProgressOutput(serializers.Serializer[Any]):
    steps_complete = serializers.IntegerField()
    steps_required = serializers.IntegerField()
    last_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)


class CourseOfEnrolmentOutput(serializers.Serializer[Any]):
    slug = serializers.SlugField()
    title = BilingualField("title")
    edition = serializers.IntegerField(source="number")


class OfferingOfEnrolmentOutput(serializers.Serializer[Any]):
    slug = serializers.SlugField()
    title = BilingualField("title")
    organization = OrganizationOutput()


class EnrolmentOutput(serializers.Serializer[Any]):
    """One's own enrolment. `progress` is null until something is done."""

    id = serializers.UUIDField()
    course = CourseOfEnrolmentOutput(source="edition")
    offering = OfferingOfEnrolmentOutput()
    state = serializers.ChoiceField(choices=Enrolment.State.choices)
    enrolled_at = serializers.DateTimeField()
    closes_at = serializers.DateTimeField(allow_null=True)
    progress = serializers.SerializerMethodField()

    @extend_schema_field(ProgressOutput(allow_null=True))
    def get_progress(self, enrolment: Enrolment) -> Any:
        row = getattr(enrolment, "progress", None)
        return ProgressOutput(row).data if row else None


class LearnerOutput(serializers.Serializer[Any]):
    """Somebody in an offering. The name and the address are empty where the person was erased."""

    enrolment = serializers.UUIDField(source="id")
    name = serializers.SerializerMethodField()
    email = serializers.SerializerMethodField()
    organization = serializers.SerializerMethodField()
    state = serializers.ChoiceField(choices=Enrolment.State.choices)
    enrolled_at = serializers.DateTimeField()
    closes_at = serializers.DateTimeField(allow_null=True)
    progress = serializers.SerializerMethodField()

    def get_name(self, enrolment: Enrolment) -> str:
        return enrolment.subject.user.name if enrolment.subject.user else ""

    def get_email(self, enrolment: Enrolment) -> str:
        return enrolment.subject.user.email if enrolment.subject.user else ""

    @extend_schema_field(OrganizationOutput(allow_null=True))
    def get_organization(self, enrolment: Enrolment) -> Any:
        return OrganizationOutput(enrolment.organization).data if enrolment.organization else None

    @extend_schema_field(ProgressOutput(allow_null=True))
    def get_progress(self, enrolment: Enrolment) -> Any:
        row = getattr(enrolment, "progress", None)
        return ProgressOutput(row).data if row else None


class CompetencyOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Permanent; also its CASE identifier.")
    code = serializers.CharField()
    title = BilingualField("title")


class EvidenceOutput(serializers.Serializer[Any]):
    """Why: `bearing` says what it is worth now, such as holds, covers_lower, contributes."""

    kind = serializers.ChoiceField(choices=Evidence.Kind.choices)
    bearing = serializers.CharField()
    valid_from = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True)
    points = serializers.CharField(allow_null=True)
    max_points = serializers.CharField(allow_null=True)


class StandingOutput(serializers.Serializer[Any]):
    """One's own standing in a competency at a level, with the evidence behind it."""

    competency = CompetencyOutput()
    level = serializers.ChoiceField(choices=Level.choices)
    state = serializers.ChoiceField(choices=Standing.State.choices)
    since = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True)
    evidence = EvidenceOutput(many=True)


def _with_places(offerings: QuerySet[Offering]) -> QuerySet[Offering]:
    return offerings.select_related("organization").annotate(
        taken=Count("enrolments", filter=Q(enrolments__state=Enrolment.State.ACTIVE))
    )


# --- The catalogue ------------------------------------------------------------------------------------------------


class CoursesApi(ListAPIView[Any]):
    """The courses as last issued, by their names. Two queries for any number."""

    permission_classes = [AllowAny]
    serializer_class = CourseOutput
    ordering = ("slug", "pk")

    def get_queryset(self) -> QuerySet[CourseEdition]:
        latest = CourseEdition.objects.filter(pk__in=latest_editions().values("pk"))
        return latest.defer("outline", "note")

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        prime_outlines(page or ())
        return page


class CourseApi(APIView):
    """A course with its outline and offerings, under its name or an earlier name of it. Three queries."""

    permission_classes = [AllowAny]

    @extend_schema(responses=WholeCourseOutput)
    def get(self, request: Request, slug: str) -> Response:
        return Response(WholeCourseOutput(find_course(slug)).data)


# --- One's own ----------------------------------------------------------------------------------------------------


class MyEnrolmentsApi(ListAPIView[Any]):
    """One's own enrolments with progress, the newest first. One query."""

    permission_classes = [IsAuthenticated]
    serializer_class = EnrolmentOutput
    ordering = ("-enrolled_at", "-pk")

    def get_queryset(self) -> QuerySet[Enrolment]:
        if not self.request.user.is_authenticated:
            return Enrolment.objects.none()
        return (
            Enrolment.objects.filter(subject__user=self.request.user)
            .select_related("offering__organization", "edition", "progress")
            .defer("edition__outline", "edition__note")
        )


class MyStandingApi(ListAPIView[Any]):
    """One's own standing in the competencies of the standards, with the evidence behind it. Two queries."""

    permission_classes = [IsAuthenticated]
    serializer_class = StandingOutput
    ordering = ("pk",)

    def get_queryset(self) -> QuerySet[Standing]:
        if not self.request.user.is_authenticated:
            return Standing.objects.none()
        return Standing.objects.filter(
            Q(valid_until__isnull=True) | Q(valid_until__gt=clock.now()), subject__user=self.request.user
        ).select_related("competency")

    def paginate_queryset(self, queryset: Any) -> Any:
        page: Sequence[Standing] = super().paginate_queryset(queryset) or []
        keys = {key for row in page for key, _code in row.reason.get("evidence", ())}
        rows = Evidence.objects.in_bulk(keys)
        for row in page:
            found = row.reason.get("evidence", ())
            vars(row)["evidence"] = [_describe(rows[key], code) for key, code in found if key in rows]
        return page


def _describe(evidence: Evidence, code: str) -> dict[str, Any]:
    return {
        "kind": evidence.kind,
        "bearing": code,
        "valid_from": evidence.valid_from,
        "valid_until": evidence.valid_until,
        "points": evidence.result.get("points"),
        "max_points": evidence.result.get("max_points"),
    }


# --- The instructor's ---------------------------------------------------------------------------------------------


class OfferingsApi(ListAPIView[Any]):
    """The offerings that one teaches; all of them for administrators. One query."""

    permission_classes = [IsAuthenticated]
    serializer_class = OfferingOutput
    ordering = ("slug",)

    def get_queryset(self) -> QuerySet[Offering]:
        return _with_places(Offering.objects.filter(pk__in=offerings_for(self.request.user).values("pk")))


class LearnersApi(ListAPIView[Any]):
    """The learners of an offering that one teaches, with progress, the newest first. One query, and the rights.

    Each page that leaves the site is logged, as the table for a spreadsheet is.
    """

    permission_classes = [IsAuthenticated]
    serializer_class = LearnerOutput
    ordering = ("-enrolled_at", "-pk")

    def get_queryset(self) -> QuerySet[Enrolment]:
        if getattr(self, "swagger_fake_view", False):
            return Enrolment.objects.none()
        self.offering = find_taught(self.request.user, self.kwargs["slug"])
        return (
            Enrolment.objects.filter(offering=self.offering)
            .select_related("subject__user", "organization", "progress")
            .only(
                *("id", "state", "enrolled_at", "closes_at", "progress"),
                *("subject__user__name", "subject__user__email"),
                *("organization__slug", "organization__name_en", "organization__name_fr"),
            )
        )

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        record_audit(
            actor=subject_of(self.request.user),
            action="offering.exported",
            target=self.offering,
            details={"learners": len(page or ())},
        )
        return page
