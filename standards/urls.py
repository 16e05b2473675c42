"""Addresses of this floor, each under the language in which it is read."""

from django.urls import path

from standards import views

app_name = "standards"

urlpatterns = [
    path("standards/", views.show_index, name="index"),
    path("standards/c/<uuid:competency_id>/", views.show_competency, name="competency"),
    path("standards/<slug:slug>/", views.show_framework, name="framework"),
    path("standards/<slug:slug>/<int:number>/", views.show_edition, name="edition"),
    path("standards/<slug:slug>/<int:number>/changes/<int:other>/", views.show_changes, name="changes"),
    path("standards/<slug:slug>/<int:number>/<slug:code>/", views.show_domain, name="domain"),
]
