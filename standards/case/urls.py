"""The addresses of CASE, without a language. `v1p0` is an alias."""

from django.urls import path

from standards.case import views

app_name = "case"

VERSIONS = ("v1p1", "v1p0")

urlpatterns = [
    pattern
    for version in reversed(VERSIONS)
    # The names of the last one are those that are written out.
    for pattern in (
        path(f"ims/case/{version}/CFPackages/<uuid:identifier>", views.show_package, name="package"),
        path(f"ims/case/{version}/CFDocuments/<uuid:identifier>", views.show_document, name="document"),
        path(f"ims/case/{version}/CFItems/<uuid:identifier>", views.show_item, name="item"),
        path(
            f"ims/case/{version}/CFAssociations/<uuid:identifier>", views.show_association, name="association"
        ),
    )
]
