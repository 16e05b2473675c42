"""Addresses of the course engine: the catalogue, the learner's screens, and the instructor's desk."""

from django.urls import URLPattern, URLResolver, include, path

from lms.views import attempts, books, catalogue, competencies, enrolments, steps

app_name = "lms"

# A learner's own course. Most requests are for it: it is looked for first.
_learn: list[URLPattern | URLResolver] = [
    path("", enrolments.show_enrolment, name="enrolment"),
    path("<slug:step>/", steps.show_step, name="step"),
    path("<slug:step>/worksheets/<str:part>/", steps.print_worksheet, name="worksheet"),
    path(
        "<slug:step>/worksheets/<str:part>/download.pdf",
        steps.download_worksheet,
        name="worksheet_pdf",
    ),
    path("<slug:step>/attempts/<uuid:attempt>/", attempts.show_attempt, name="attempt"),
    path(
        "<slug:step>/attempts/<uuid:attempt>/<int:number>/",
        attempts.show_question,
        name="question",
    ),
    path(
        "<slug:step>/attempts/<uuid:attempt>/review/",
        attempts.review,
        name="attempt_review",
    ),
    path(
        "<slug:step>/attempts/<uuid:attempt>/result/",
        attempts.show_result,
        name="result",
    ),
    path("<slug:step>/files/<uuid:file>/", attempts.download_file, name="file"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("learn/<uuid:enrolment>/", include(_learn)),
    # The catalogue, open to everyone
    path("trainings/", catalogue.show_catalogue, name="catalogue"),
    path("trainings/<slug:course>/", catalogue.show_course, name="course"),
    path("trainings/<slug:course>/enrol/<slug:offering>/", catalogue.enrol, name="enrol"),
    path("lessons/<slug:course>/<slug:step>/", catalogue.show_public_lesson, name="public_lesson"),
    # For those who may read the course: its learners, those who teach it, and its authors
    path("books/<uuid:edition>/", books.show_book, name="book"),
    # A learner's own
    path("my/competencies/", competencies.show_map, name="competencies"),
    path("my/competencies/<str:domain>/", competencies.show_domain, name="competency_domain"),
    path("my/notices/<uuid:notice>/", enrolments.open_notice, name="notice"),
    path("enrolments/<uuid:enrolment>/name/", enrolments.change_name, name="enrolment_name"),
    path("enrolments/<uuid:enrolment>/withdraw/", enrolments.withdraw, name="enrolment_withdraw"),
    # The instructor's desk
    path("", include("lms.urls_desk")),
]
