"""Addresses of the instructor's desk, included by `lms.urls` in the namespace `lms`."""

from django.urls import URLPattern, URLResolver, path

from lms.views import desk, desk_learner, desk_marking

LEARNER = "teach/<slug:offering>/<uuid:enrolment>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("teach/", desk.list_desk, name="offerings"),
    path("teach/<slug:offering>/", desk.show_offering, name="offering"),
    path("teach/<slug:offering>/export/", desk.export_offering, name="offering_export"),
    path("teach/<slug:offering>/marking/", desk_marking.show_queue, name="marking"),
    path("teach/<slug:offering>/marking/<uuid:attempt>/", desk_marking.mark, name="mark"),
    path(LEARNER, desk_learner.show_learner, name="learner"),
    path(f"{LEARNER}attempts/<uuid:attempt>/", desk_learner.show_attempt, name="learner_attempt"),
    path(f"{LEARNER}withdraw/", desk_learner.withdraw, name="learner_withdraw"),
    path(f"{LEARNER}reinstate/", desk_learner.reinstate, name="learner_reinstate"),
    path(f"{LEARNER}extend/", desk_learner.extend, name="learner_extend"),
    path(f"{LEARNER}grant/", desk_learner.grant, name="learner_grant"),
]
