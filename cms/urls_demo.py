"""Addresses of the demo: the cast, the tour, the e-mails."""

from django.urls import path, re_path

from cms.demo import views

app_name = "demo"

urlpatterns = [
    path("", views.show_demo, name="cast"),
    path("sign-in/", views.sign_in_as, name="sign_in"),
    path("mail/", views.show_mails, name="mails"),
    re_path(r"^mail/(?P<name>[0-9a-f]{16})/$", views.show_mail, name="mail"),
]
