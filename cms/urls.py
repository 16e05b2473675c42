"""Addresses of this floor."""

from django.urls import path, re_path

from cms import views

app_name = "cms"

urlpatterns = [
    path("my/", views.show_my_home, name="my"),
    path("search/", views.search, name="search"),
    re_path(r"^language/(?P<language>en|fr)/$", views.switch_language, name="switch_language"),
]
