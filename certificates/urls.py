"""Addresses of this floor, each under the language in which it is read."""

from django.urls import path

from certificates import views

app_name = "certificates"

urlpatterns = [
    path("certificates/check/", views.check, name="check"),
    path("certificates/check/many/", views.check_many, name="check_many"),
    path("certificates/cohorts/", views.list_cohorts, name="cohorts"),
    path("certificates/<uuid:key>/countersign/", views.countersign, name="countersign"),
    path("my/certificates/", views.list_mine, name="mine"),
    path("my/certificates/<uuid:key>/", views.show_mine, name="holder"),
    path("my/certificates/<uuid:key>/picture/", views.show_picture, name="picture"),
    path("my/certificates/<uuid:key>/show/", views.change_consent, name="consent"),
    path("my/certificates/<uuid:key>/links/", views.make_link, name="make_link"),
    path("my/certificates/<uuid:key>/links/<uuid:link>/close/", views.close_link, name="close_link"),
    path("my/certificates/<uuid:key>/correct/", views.ask_correction, name="correct"),
]
