"""Addresses of the demo: the cast, the tour, the e-mails."""

from django.urls import URLPattern, URLResolver

app_name = "demo"

urlpatterns: list[URLPattern | URLResolver] = []
