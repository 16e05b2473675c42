"""Addresses of the demo: the cast, the tour, the e-mails."""

from django.urls import path, re_path
from django.views.decorators.http import require_safe

from cms.demo import views

app_name = "demo"

urlpatterns = [
    path("", require_safe(views.show_demo), name="cast"),
    path("sign-in/", views.sign_in_as, name="sign_in"),
    path("mail/", require_safe(views.show_mails), name="mails"),
    re_path(r"^mail/(?P<name>[0-9a-f]{16})/$", require_safe(views.show_mail), name="mail"),
]
