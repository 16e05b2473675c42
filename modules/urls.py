"""Addresses of this floor, without a language: the files of editions, which are kept for ever."""

from django.urls import URLPattern, URLResolver, path

from modules.views import show_asset

app_name = "modules"

urlpatterns: list[URLPattern | URLResolver] = [
    path("media/editions/<str:name>", show_asset, name="asset"),
]
