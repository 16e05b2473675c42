"""Offerings in the CMS."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from wagtail.admin import messages
from wagtail.admin.panels import FieldPanel, HelpPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views.generic import CreateView, DeleteView, EditView, IndexView
from wagtail.admin.viewsets.base import ViewSetGroup
from wagtail.admin.viewsets.model import ModelViewSet

from accounts.services import record_audit, subject_of
from lms.admin_forms import OfferingForm
from lms.models import Enrolment, Offering
from lms.selectors.desk import invite_url
from lms.selectors.newer import has_newer_edition
from lms.services.offerings import follow_new_closing


class OfferingLinks(HelpPanel):
    """Where the instructors see the offering, and the address at which people enrol."""

    class BoundPanel(HelpPanel.BoundPanel):
        def is_shown(self) -> bool:
            return super().is_shown() and not self.instance._state.adding

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            context["desk_url"] = reverse("lms:offering", args=[self.instance.slug])
            context["invite_url"] = invite_url(self.instance)
            context["newer_url"] = reverse("lms_admin:newer_edition", args=[self.instance.pk])
            context["has_newer"] = has_newer_edition(self.instance)
            return context


class OfferingIndexView(IndexView):
    """The offerings with a way to their instructors' page. Constant queries."""

    def get_base_queryset(self) -> Any:
        return (
            super()
            .get_base_queryset()
            .select_related("edition", "organization")
            .defer("edition__outline", "edition__note")
        )


class OfferingCreateView(CreateView):
    @transaction.atomic
    def save_instance(self) -> Offering:
        made: Offering = super().save_instance()
        record_audit(actor=subject_of(self.request.user), action="offering.made", target=made)
        return made


class OfferingEditView(EditView):
    @transaction.atomic
    def save_instance(self) -> Offering:
        before = Offering.objects.select_for_update(of=("self",)).get(pk=self.object.pk)
        changed: Offering = super().save_instance()
        actor = subject_of(self.request.user)
        record_audit(
            actor=actor,
            action="offering.changed",
            target=changed,
            details={"fields": sorted(self.form.changed_data)},
        )
        job = follow_new_closing(offering=changed, before=before.closes_at, actor=actor)
        if job is not None:
            messages.info(
                self.request,
                _("Everyone who is enrolled gets the later last day and is told."),
                buttons=[messages.button(reverse("accounts_admin:job", args=[job.pk]), _("How far it is"))],
            )
        return changed


class OfferingDeleteView(DeleteView):
    """Deletes an offering that nobody ever enrolled in; any other is refused with what uses it."""

    def run_before_hook(self) -> HttpResponse | None:
        count = Enrolment.objects.filter(offering=self.object).count()
        if not count:
            return None
        messages.error(
            self.request,
            ngettext(
                "“%(title)s” was not deleted: %(count)d person is or was enrolled, and what they did rests on it. "
                "Give it a last day instead, or take it out of the catalogue.",
                "“%(title)s” was not deleted: %(count)d people are or were enrolled, and what they did rests on it. "
                "Give it a last day instead, or take it out of the catalogue.",
                count,
            )
            % {"title": self.object, "count": count},
        )
        return redirect(self.edit_url_name, self.object.pk)


def _edition_of(offering: Offering) -> str:
    return str(offering.edition)


class OfferingViewSet(ModelViewSet):
    """Make, change and delete offerings."""

    model = Offering
    name = "offerings"
    url_prefix = "offerings"
    icon = "group"
    menu_label = _("Offerings")
    index_view_class = OfferingIndexView
    add_view_class = OfferingCreateView
    edit_view_class = OfferingEditView
    delete_view_class = OfferingDeleteView
    copy_view_enabled = False
    list_filter = ("kind", "organization", "is_listed")
    search_fields = ("title_en", "title_fr", "slug", "edition__title_en")
    ordering = ("-created_at",)
    list_display = [
        TitleColumn("title_en", label=_("Title"), url_name="offerings:edit", sort_key="title_en"),
        Column("edition", label=_("Course edition"), accessor=_edition_of),
        Column("organization", label=_("Organization")),
        Column("kind", label=_("Kind"), accessor="get_kind_display"),
        TitleColumn(
            "desk",
            label=_("Instructors’ page"),
            accessor=lambda offering: _("Open"),
            get_url=lambda offering: reverse("lms:offering", args=[offering.slug]),
        ),
    ]
    edit_handler = ObjectList(
        [
            OfferingLinks(template="lms/desk/cms_links.html", heading=_("Where it is")),
            MultiFieldPanel(
                [FieldPanel("title_en"), FieldPanel("title_fr"), FieldPanel("kind"), FieldPanel("edition")],
                heading=_("What is offered"),
            ),
            MultiFieldPanel(
                [FieldPanel("organization"), FieldPanel("partner"), FieldPanel("instructors")],
                heading=_("By whom"),
            ),
            MultiFieldPanel(
                [FieldPanel("time_zone"), FieldPanel("first_day"), FieldPanel("last_day")], heading=_("When")
            ),
            MultiFieldPanel(
                [FieldPanel("seats"), FieldPanel("is_listed"), FieldPanel("slug")], heading=_("For whom")
            ),
        ],
        base_form_class=OfferingForm,
    )


class LearningGroup(ViewSetGroup):
    """What the CMS knows of learning."""

    menu_label = _("Learning")
    menu_icon = "group"
    menu_order = 230
    items = (OfferingViewSet(),)


learning = LearningGroup()
