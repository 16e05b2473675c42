"""The screens of the CMS that are ours: axe finds nothing in what we put into Wagtail's frame."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import User
from accounts.services import subject_of
from certificates.jobs import ask_for_due
from certificates.models import Certificate
from cms.demo.cast import SELF_PACED, demo_enrolments
from lms.models import Notice, Offering
from modules.pages import CoursePage
from standards.models import FrameworkEdition
from standards.pages import FrameworkPage
from tests.browser.walks import find_faults, sign_in

pytestmark = pytest.mark.usefixtures("seeded_site")


def look(page: Any, paths: list[str]) -> list[str]:
    faults = []
    for path in paths:
        response = page.goto(path)
        if response.status != 200:
            faults.append(f"{path} answers {response.status}")
            continue
        faults += find_faults(page, within="main")
    return faults


def test_screens_of_authors(make_page: Callable[..., Any]) -> None:
    page = make_page(reduced_motion="reduce")
    sign_in(page, "author@demo.example")
    course = CoursePage.objects.get(locale__language_code="en")
    faults = look(
        page,
        [
            "/admin/courses/",
            *(
                f"/admin/courses/{course.pk}/{screen}/"
                for screen in ("issue", "editions", "coverage", "copy")
            ),
        ],
    )
    assert not faults, "\n".join(faults)


def test_screens_of_administrators(make_page: Callable[..., Any]) -> None:
    page = make_page(reduced_motion="reduce")
    sign_in(page, "admin@demo.example")
    certificate = Certificate.objects.get(enrolment_id=demo_enrolments()["valid"])
    offering = Offering.objects.get(slug=SELF_PACED)
    administrator = subject_of(User.objects.get(email="admin@demo.example"))
    job = ask_for_due(offering=offering, asker=administrator, job_id=uuid.uuid4())
    Notice.objects.filter(kind="certificate_issued").update(mail=Notice.Mail.UNKNOWN)
    faults = look(
        page,
        [
            "/admin/certificates/",
            f"/admin/certificates/{certificate.pk}/",
            f"/admin/certificates/{certificate.pk}/revoke/",
            f"/admin/certificates/{certificate.pk}/reissue/",
            "/admin/offerings/",
            f"/admin/offerings/edit/{offering.pk}/",
            reverse("lms_admin:newer_edition", args=[offering.pk]),
            reverse("accounts_admin:people"),
            reverse("accounts_admin:person", args=[User.objects.get(email="learner@demo.example").pk]),
            reverse("accounts_admin:holds"),
            reverse("accounts_admin:audit"),
            reverse("accounts_admin:jobs"),
            reverse("accounts_admin:job", args=[job.pk]),
            reverse("certificates_admin:due"),
            reverse("lms_admin:unsent_mail"),
        ],
    )
    assert not faults, "\n".join(faults)


def test_screens_of_the_committee(make_page: Callable[..., Any]) -> None:
    page = make_page(reduced_motion="reduce")
    sign_in(page, "committee@demo.example")
    framework = FrameworkPage.objects.filter(locale__language_code="en")[0]
    edition = FrameworkEdition.objects.order_by("-number")[0]
    faults = look(
        page,
        [
            reverse("standards_admin:editions"),
            reverse("standards_admin:issue", args=[framework.pk]),
            reverse("standards_admin:status", args=[edition.pk]),
        ],
    )
    assert not faults, "\n".join(faults)
