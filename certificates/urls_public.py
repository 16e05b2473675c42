"""Addresses without a language: they are printed on certificates and kept for ever."""

from django.urls import URLPattern, URLResolver

app_name = "certificates_public"

urlpatterns: list[URLPattern | URLResolver] = []
