"""Addresses without a language: they are printed on certificates and kept for ever."""

from django.urls import path

from certificates import views_public as views

app_name = "certificates_public"

urlpatterns = [
    path("certificates/<uuid:key>/", views.show_certificate, name="certificate"),
    path("certificates/<uuid:key>/credential.json", views.show_credential, name="credential"),
    path("certificates/<uuid:key>/certificate.pdf", views.download_pdf, name="pdf"),
    path("certificates/achievements/<uuid:key>/", views.show_achievement, name="achievement"),
    path("certificates/status/<int:number>", views.show_status_list, name="status_list"),
    path(".well-known/did.json", views.show_did, name="did"),
]
