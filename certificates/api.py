"""The REST API of this floor: checking a certificate, a registrar's pile of them, and one's own.

What is said of a person follows the holder's consent by the same rules, and in part by the same code, as the pages.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.services import subject_of
from certificates.forms import MOST_LOOKUPS
from certificates.lookup import LONGEST_TEXT, read_reference
from certificates.models import StatusEntry
from certificates.page import CertificatePage
from certificates.permissions import is_officer, is_registrar
from certificates.places import verification_url
from certificates.querysets import CertificateQuerySet
from certificates.rules import Status
from certificates.selectors import ListedCertificate, describe_many, find_certificate, whole_certificates
from certificates.views import LISTS, LOOKUPS, describe_problem, log_opened, look_up_many
from certificates.views_public import open_page
from core.api_fields import Bilingual, both
from core.errors import NotFound
from core.ratelimit import consume, find_address
from standards.models import Level

STATUSES = [(status.value, status.value) for status in Status]

# --- What is answered ---------------------------------------------------------------------------------------------


class ReplacementOutput(serializers.Serializer[Any]):
    number = serializers.CharField()
    url = serializers.URLField()


class ListedOutput(serializers.Serializer[Any]):
    """A certificate in a list. `holder_name` is null where this reader may not see it."""

    id = serializers.UUIDField(source="certificate.pk")
    number = serializers.CharField(source="certificate.number")
    url = serializers.SerializerMethodField()
    status = serializers.ChoiceField(choices=STATUSES)
    holder_name = serializers.SerializerMethodField()
    course = serializers.SerializerMethodField()
    issued_at = serializers.DateTimeField(source="certificate.issued_at")
    expires_on = serializers.DateField(source="certificate.expires_on", allow_null=True)
    replaced_by = serializers.SerializerMethodField()

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, row: ListedCertificate) -> str:
        return verification_url(row.certificate.pk)

    def get_holder_name(self, row: ListedCertificate) -> str | None:
        return row.holder_name or None

    @extend_schema_field(Bilingual)
    def get_course(self, row: ListedCertificate) -> dict[str, str]:
        return _course_of(row.certificate, row.certificate.content.facts)

    @extend_schema_field(ReplacementOutput(allow_null=True))
    def get_replaced_by(self, row: ListedCertificate) -> dict[str, str] | None:
        return _replacement(row.replaced_by)


def _course_of(certificate: Any, facts: Any) -> dict[str, str]:
    if facts:
        return both(facts["course_title"])
    edition = certificate.enrolment.edition if certificate.enrolment else None
    return {"en": edition.title_in("en"), "fr": edition.title_in("fr")} if edition else {"en": "", "fr": ""}


def _replacement(row: Any) -> dict[str, str] | None:
    return {"number": row.number, "url": verification_url(row.pk)} if row else None


class CertifiedCompetencyOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    uri = serializers.CharField(help_text="Its CASE address.")
    title = Bilingual()
    level = serializers.ChoiceField(choices=Level.choices)
    evidence = Bilingual()


class FactsOutput(serializers.Serializer[Any]):
    """What is certified, as frozen at issue."""

    holder_name = serializers.CharField()
    completed_on = serializers.DateField()
    minutes = serializers.IntegerField()
    competencies = CertifiedCompetencyOutput(many=True)


class HistoryOutput(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=StatusEntry.status.field.choices)
    at = serializers.DateTimeField()
    reason = serializers.CharField(allow_blank=True)


class VerificationOutput(serializers.Serializer[Any]):
    """A certificate, checked now.

    `stands` is true only where signature, text and status are all in order. `signed` and `unchanged` are null where
    the facts were erased and nothing can be checked. `facts` is null where this reader may not see them: then the
    holder has not consented to show them to everyone.
    """

    id = serializers.UUIDField(source="certificate.pk")
    number = serializers.CharField()
    url = serializers.SerializerMethodField()
    status = serializers.ChoiceField(choices=STATUSES, source="check.status.status.value")
    stands = serializers.BooleanField(source="check.stands")
    signed = serializers.BooleanField(source="check.signed", allow_null=True)
    unchanged = serializers.BooleanField(source="check.unchanged", allow_null=True)
    checked_at = serializers.DateTimeField(source="check.at")
    issued_at = serializers.DateTimeField(source="certificate.issued_at")
    expires_on = serializers.DateField(source="certificate.expires_on", allow_null=True)
    course = serializers.SerializerMethodField()
    replaced_by = serializers.SerializerMethodField()
    history = serializers.SerializerMethodField()
    facts = serializers.SerializerMethodField()

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, page: CertificatePage) -> str:
        return verification_url(page.certificate.pk)

    @extend_schema_field(Bilingual)
    def get_course(self, page: CertificatePage) -> dict[str, str]:
        return _course_of(page.certificate, page.content.facts)

    @extend_schema_field(ReplacementOutput(allow_null=True))
    def get_replaced_by(self, page: CertificatePage) -> dict[str, str] | None:
        return _replacement(page.replaced_by)

    @extend_schema_field(HistoryOutput(many=True))
    def get_history(self, page: CertificatePage) -> Any:
        return HistoryOutput(page.check.status.history, many=True).data

    @extend_schema_field(FactsOutput(allow_null=True))
    def get_facts(self, page: CertificatePage) -> Any:
        return FactsOutput(page.facts).data if page.facts else None


class ChecksInput(serializers.Serializer[Any]):
    numbers = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_TEXT),
        min_length=1,
        max_length=MOST_LOOKUPS,
        help_text="Numbers or addresses of certificates.",
    )


class CheckedOutput(serializers.Serializer[Any]):
    """What was found for one of the numbers. `problem` says why nothing was, in the language asked for."""

    asked = serializers.CharField()
    problem = serializers.CharField(allow_blank=True)
    certificate = serializers.SerializerMethodField()

    @extend_schema_field(ListedOutput(allow_null=True))
    def get_certificate(self, row: dict[str, Any]) -> Any:
        return ListedOutput(row["found"]).data if row["found"] else None


class ChecksOutput(serializers.Serializer[Any]):
    results = CheckedOutput(many=True)


# --- What is asked ------------------------------------------------------------------------------------------------


class VerificationApi(APIView):
    """Check one certificate by its number, its key or its address. Six queries; nine at most for who is signed in."""

    permission_classes = [AllowAny]

    @extend_schema(
        responses=VerificationOutput,
        parameters=[OpenApiParameter("share", str, description="The secret of a link that the holder made.")],
    )
    def get(self, request: Request, reference: str) -> Response:
        asked = read_reference(reference)
        if asked.key is None:
            # By number one could walk from one to the next; a key cannot be guessed.
            consume(action="certificate-lookup", key=find_address(request), limit=LOOKUPS)
        found = find_certificate(key=asked.key, number=asked.number) if asked.names_one else None
        page = open_page(request, found.pk) if found else None
        if page is None:
            raise NotFound(describe_problem(asked)["text"])
        return Response(VerificationOutput(page).data, headers={"Cache-Control": "private, no-store"})


class IsRegistrar(BasePermission):
    """Registrars, and the officers who answer their questions."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return is_registrar(request.user) or is_officer(request.user)


class ChecksApi(APIView):
    """Check up to 200 certificates at once: for registrars. Four queries for any number, and the roles."""

    permission_classes = [IsAuthenticated, IsRegistrar]

    @extend_schema(request=ChecksInput, responses={200: ChecksOutput})
    def post(self, request: Request) -> Response:
        given = ChecksInput(data=request.data)
        given.is_valid(raise_exception=True)
        consume(action="certificate-list", key=str(request.user.pk), limit=LISTS)
        rows = look_up_many(given.validated_data["numbers"], user=request.user)
        log_opened([row["found"] for row in rows if row["found"]], request=request)
        return Response(ChecksOutput({"results": rows}).data)


class MyCertificatesApi(ListAPIView[Any]):
    """One's own certificates, the newest first. Three queries for any number."""

    permission_classes = [IsAuthenticated]
    serializer_class = ListedOutput
    ordering = ("-issued_at", "number")

    def get_queryset(self) -> CertificateQuerySet:
        if not self.request.user.is_authenticated:
            return whole_certificates().none()
        return whole_certificates().filter(subject=subject_of(self.request.user))

    def paginate_queryset(self, queryset: Any) -> Any:
        return describe_many(super().paginate_queryset(queryset) or [], user=self.request.user)
