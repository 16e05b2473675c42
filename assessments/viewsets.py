"""Items and assessments in the CMS. What stands in a collection that a person may not see is not there for them."""

from __future__ import annotations

import html
import uuid
from typing import Any

import django_filters
from django import forms
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import strip_tags
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.filters import CollectionFilter, WagtailFilterSet
from wagtail.admin.forms.choosers import BaseFilterForm, LocaleFilterMixin
from wagtail.admin.panels import FieldPanel, FieldRowPanel, HelpPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.menus import MenuItem
from wagtail.admin.ui.tables import Column, LocaleColumn, UpdatedAtColumn
from wagtail.admin.widgets import Button
from wagtail.admin.widgets.button import ButtonWithDropdown
from wagtail.models import Locale, ReferenceIndex
from wagtail.snippets.views import chooser as chooser_views
from wagtail.snippets.views import snippets as views
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup
from wagtail_localize.models import Translation

from assessments.admin_forms import AssessmentForm, ItemForm
from assessments.permissions import ACTIONS, may, policy_of, require, visible_to
from assessments.readiness import say_readiness
from assessments.snippets import Assessment, Item
from standards.models import Competency

CHECK_URL = "assessments_admin:check"


# --- One thing --------------------------------------------------------------------------------------------------


class Guarded:
    """404 for what the person may not see, 403 for what they may see only."""

    request: Any
    guarded_by: tuple[str, ...] = ("change",)

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        thing = super().get_object(*args, **kwargs)  # type: ignore[misc]
        if thing is not None and thing.pk:
            # As it stands, not as a draft or an earlier version has it: that may have stood elsewhere.
            kept = type(thing).objects.select_related("collection").get(pk=thing.pk)
            require(self.request.user, kept, *self.guarded_by)
        return thing


class SaysWhatIsMissing:
    """After an assessment is saved, says what keeps it from being issued."""

    def save_action(self) -> Any:
        view: Any = self
        answer = super().save_action()  # type: ignore[misc]
        if not view.expects_json_response:
            _tell(view.request, view.object)
        return answer


def _tell(request: Any, thing: Any) -> None:
    problems = say_readiness(thing)
    if problems:
        where = reverse(CHECK_URL, args=[thing._meta.model_name, thing.pk])
        messages.warning(
            request,
            _("It is saved, but not ready for an edition: %(problems)s")
            % {"problems": " ".join(problems[:3])},
            buttons=[messages.button(where, _("Check"))],
        )


class BankCreateView(SaysWhatIsMissing, views.CreateView):
    pass


class BankCopyView(SaysWhatIsMissing, views.CopyView):
    """A copy is another thing in every edition, and so has a translation key of its own."""

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        thing = get_object_or_404(self.model.objects.select_related("collection"), pk=self.kwargs["pk"])
        require(self.request.user, thing, "change", "view")
        return thing

    def get_initial_form_instance(self) -> Any:
        copy = self.get_object()
        # Posted here, it must never be saved over the first one.
        copy.pk, copy.translation_key, copy.latest_revision = None, uuid.uuid4(), None
        copy.loaded_digest, copy._state.adding = "", True
        return copy


class BankEditView(Guarded, SaysWhatIsMissing, views.EditView):
    @property
    def header_more_buttons(self) -> list[Any]:
        more = list(super().header_more_buttons)
        more.append(
            Button(
                _("Check"),
                url=reverse(CHECK_URL, args=[self.model._meta.model_name, self.object.pk]),
                icon_name="circle-check",
                priority=5,
            )
        )
        return more


class BankDeleteView(Guarded, views.DeleteView):
    guarded_by = ("delete",)


class BankUsageView(Guarded, views.UsageView):
    guarded_by = ("change", "view")


class BankHistoryView(Guarded, views.HistoryView):
    guarded_by = ("change", "view")


class BankRevisionView(Guarded, views.PreviewRevisionView):
    guarded_by = ("change",)


class BankCompareView(Guarded, views.RevisionsCompareView):
    guarded_by = ("change",)


class BankPreviewView(views.PreviewOnEditView):
    def get_object(self) -> Any:
        kept = self.model.objects.select_related("collection").filter(pk=self.kwargs["pk"]).first()
        if kept is None:
            raise Http404
        require(self.request.user, kept, "change")
        return super().get_object()


# --- Lists ------------------------------------------------------------------------------------------------------


class BankFilterSet(WagtailFilterSet):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        user = getattr(self.request, "user", None)
        collections = policy_of(self._meta.model).collections_user_has_any_permission_for(user, ACTIONS)
        if collections.count() > 1:
            self.filters["collection"] = CollectionFilter(
                field_name="collection", label=_("Collection"), queryset=collections
            )


def _filter_by_tag(queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
    # Whole words of the list of tags.
    pattern = Q()
    for word in value.split():
        pattern &= (
            Q(tags=word)
            | Q(tags__startswith=f"{word} ")
            | Q(tags__endswith=f" {word}")
            | Q(tags__contains=f" {word} ")
        )
    return queryset.filter(pattern)


class ItemFilterSet(BankFilterSet):
    kind = django_filters.MultipleChoiceFilter(
        label=gettext_lazy("Kind"), choices=Item.Kind.choices, widget=forms.CheckboxSelectMultiple
    )
    competency = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Competency"),
        queryset=Competency.objects.exclude(code="").order_by("framework_key", "code"),
    )
    tag = django_filters.CharFilter(label=gettext_lazy("Tag"), method="filter_tag")

    class Meta:
        model = Item
        fields = ("kind", "competency", "level", "starting_content")

    def filter_tag(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return _filter_by_tag(queryset, name, value)


class AssessmentFilterSet(BankFilterSet):
    kind = django_filters.MultipleChoiceFilter(
        label=gettext_lazy("Kind"), choices=Assessment.Kind.choices, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Assessment
        fields = ("kind", "starting_content")


class BankIndexView(views.IndexView):
    """What the person may see, with how many things use each. A constant number of queries."""

    def get_base_queryset(self) -> QuerySet[Any]:
        joined = ("collection", "locale", *(("competency",) if self.model is Item else ()))
        return (
            visible_to(self.request.user, self.model)
            .select_related(*joined)
            .annotate(
                times_used=ReferenceIndex.usage_count_subquery(self.model),
                # For the buttons of translating, which would ask twice a row.
                languages=Subquery(
                    self.model.objects.filter(translation_key=OuterRef("translation_key"))
                    .values("translation_key")
                    .annotate(count=Count("pk"))
                    .values("count")
                ),
                synced_source=Subquery(
                    Translation.objects.filter(
                        source__object_id=OuterRef("translation_key"),
                        source__locale=OuterRef("locale"),
                        enabled=True,
                    ).values("source_id")[:1]
                ),
            )
        )

    def get_edit_url(self, instance: Any) -> str | None:
        if may(self.request.user, "change", instance):
            return reverse(self.edit_url_name, args=(quote(instance.pk),))
        return reverse(CHECK_URL, args=[self.model._meta.model_name, instance.pk])

    def get_delete_url(self, instance: Any) -> str | None:
        return super().get_delete_url(instance) if may(self.request.user, "delete", instance) else None

    @cached_property
    def _all_languages(self) -> int:
        return Locale.objects.count()

    def get_list_buttons(self, instance: Any) -> list[Any]:
        """Wagtail's, with the buttons of wagtail-localize made from what the list's own query found."""
        found = [
            Button.from_menu_item(b) if isinstance(b, MenuItem) else b
            for b in self.get_list_more_buttons(instance)
        ]
        for hook in hooks.get_hooks("register_snippet_listing_buttons"):
            if hook.__module__ != "wagtail_localize.wagtail_hooks":
                found += hook(instance, self.request.user, self.request.path)
        found += self._translation_buttons(instance)
        for hook in hooks.get_hooks("construct_snippet_listing_buttons"):
            hook(found, instance, self.request.user)
        shown = [button for button in found if button.show]
        if not shown:
            return []
        name = {"aria-label": _("More options for '%(title)s'") % {"title": str(instance)}}
        return [ButtonWithDropdown(buttons=sorted(shown), icon_name="dots-horizontal", attrs=name)]

    def _translation_buttons(self, instance: Any) -> list[Button]:
        user = self.request.user
        if not user.has_perm("wagtail_localize.submit_translation") or not may(user, "change", instance):
            return []
        buttons = []
        if instance.languages < self._all_languages:
            where = ["assessments", self.model._meta.model_name, instance.pk]
            buttons.append(
                Button(
                    _("Translate"),
                    reverse("wagtail_localize:submit_snippet_translation", args=where),
                    icon_name="wagtail-localize-language",
                    priority=100,
                )
            )
        if instance.synced_source:
            buttons.append(
                Button(
                    _("Bring translations up to date"),
                    reverse("wagtail_localize:update_translations", args=[instance.synced_source]),
                    icon_name="resubmit",
                    priority=106,
                )
            )
        return buttons

    def get_list_more_buttons(self, instance: Any) -> list[Any]:
        return [
            *super().get_list_more_buttons(instance),
            Button(
                _("Check"),
                url=reverse(CHECK_URL, args=[self.model._meta.model_name, instance.pk]),
                icon_name="circle-check",
                priority=15,
            ),
        ]


def _excerpt(item: Item) -> str:
    return Truncator(html.unescape(strip_tags(str(item.stem)))).chars(90)


def _evidence(item: Item) -> str:
    code = item.competency.code if item.competency else ""
    return f"{code} · {item.get_level_display()}" if code else ""


# --- Choosers ---------------------------------------------------------------------------------------------------


class BankChooserFilter(LocaleFilterMixin, BaseFilterForm):
    """Finds by words of the key, the question or the title, and by language."""

    q = forms.CharField(label=gettext_lazy("Words of the key or the text"), required=False)
    searched: tuple[str, ...] = ()

    def filter(self, objects: QuerySet[Any]) -> QuerySet[Any]:
        objects = super().filter(objects)
        words = self.cleaned_data.get("q", "").split()
        if words:
            self.is_searching, self.search_query = True, self.cleaned_data["q"]
        names = ("key", "stem", "tags") if objects.model is Item else ("key", "title")
        for word in words:
            found = Q()
            for name in names:
                found |= Q(**{f"{name}__icontains": word})
            objects = objects.filter(found)
        return objects


class _Offered:
    """What the person may see, in the order of keys."""

    request: Any
    filter_form_class = BankChooserFilter
    ordering = ("key", "locale__language_code")
    per_page = 25

    def get_object_list(self) -> QuerySet[Any]:
        view: Any = self
        return visible_to(self.request.user, view.model_class).select_related("locale", "collection")

    @property
    def columns(self) -> list[Any]:
        view: Any = self
        more = [Column("kind", label=_("Kind"), accessor="get_kind_display")]
        if view.model_class is Item:
            more.insert(0, Column("stem", label=_("Question"), accessor=_excerpt))
        more.append(Column("collection", label=_("Collection")))
        return [*super().columns, *more]  # type: ignore[misc]


class _Chosen:
    request: Any

    def get_object(self, pk: Any) -> Any:
        view: Any = self
        try:
            return visible_to(self.request.user, view.model_class).get(pk=pk)
        except ValueError as error:
            raise Http404 from error

    def get_objects(self, pks: Any) -> Any:
        view: Any = self
        return visible_to(self.request.user, view.model_class).filter(
            pk__in=[pk for pk in pks if str(pk).isdigit()]
        )


class BankChooseView(_Offered, chooser_views.ChooseView):
    pass


class BankChooseResultsView(_Offered, chooser_views.ChooseResultsView):
    pass


class BankChosenView(_Chosen, chooser_views.SnippetChosenView):
    pass


class BankChosenMultipleView(_Chosen, chooser_views.SnippetChosenMultipleView):
    pass


class BankChooserViewSet(chooser_views.SnippetChooserViewSet):
    choose_view_class = BankChooseView
    choose_results_view_class = BankChooseResultsView
    chosen_view_class = BankChosenView
    chosen_multiple_view_class = BankChosenMultipleView


# --- The two viewsets -------------------------------------------------------------------------------------------


class BankViewSet(SnippetViewSet):
    """What items and assessments share."""

    index_view_class = BankIndexView
    add_view_class = BankCreateView
    copy_view_class = BankCopyView
    edit_view_class = BankEditView
    delete_view_class = BankDeleteView
    usage_view_class = BankUsageView
    history_view_class = BankHistoryView
    revisions_view_class = BankRevisionView
    revisions_compare_view_class = BankCompareView
    preview_on_edit_view_class = BankPreviewView
    chooser_viewset_class = BankChooserViewSet
    search_backend_name = None
    list_per_page = 50

    def get_permissions_to_register(self) -> QuerySet[Permission]:
        # They are given by collection, in a panel of their own; a model's permission would say nothing.
        return Permission.objects.none()


class ItemViewSet(BankViewSet):
    """Questions."""

    model = Item
    icon = "help"
    menu_label = gettext_lazy("Items")
    filterset_class = ItemFilterSet
    search_fields = ("key", "stem", "tags")
    ordering = ("key",)
    list_display = [
        "key",
        Column("stem", label=gettext_lazy("Question"), accessor=_excerpt, width="28%"),
        Column("kind", label=gettext_lazy("Kind"), accessor="get_kind_display", sort_key="kind"),
        Column(
            "competency",
            label=gettext_lazy("Competency"),
            accessor=_evidence,
            sort_key="competency__code",
        ),
        Column("tags", label=gettext_lazy("Tags")),
        Column("collection", label=gettext_lazy("Collection"), sort_key="collection__path"),
        LocaleColumn(),
        Column("times_used", label=gettext_lazy("Used by"), sort_key="times_used"),
    ]
    edit_handler = ObjectList(
        [
            FieldRowPanel([FieldPanel("kind"), FieldPanel("points")]),
            FieldPanel("stem"),
            MultiFieldPanel(
                [
                    HelpPanel(
                        gettext_lazy(
                            "For a single choice mark one option as right; for a multiple response one or more."
                        )
                    ),
                    FieldPanel("options"),
                    FieldPanel("partial", help_text=gettext_lazy("For a multiple response.")),
                ],
                heading=gettext_lazy("Single choice and multiple response"),
            ),
            MultiFieldPanel(
                [
                    FieldPanel(
                        "answer_true", help_text=gettext_lazy("Leave empty where the statement is false.")
                    )
                ],
                heading=gettext_lazy("True or false"),
            ),
            MultiFieldPanel(
                [FieldRowPanel([FieldPanel("answer"), FieldPanel("tolerance"), FieldPanel("unit")])],
                heading=gettext_lazy("A number"),
            ),
            MultiFieldPanel(
                [
                    HelpPanel(
                        gettext_lazy(
                            "An answer counts in every language, whatever its case, accents and outer spaces."
                        )
                    ),
                    FieldPanel("accept"),
                ],
                heading=gettext_lazy("A short text"),
            ),
            MultiFieldPanel(
                [FieldPanel("feedback_right"), FieldPanel("feedback_wrong"), FieldPanel("general_feedback")],
                heading=gettext_lazy("Feedback"),
            ),
            MultiFieldPanel(
                [FieldRowPanel([FieldPanel("competency"), FieldPanel("level")])],
                heading=gettext_lazy("What it is evidence of"),
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("key"), FieldPanel("tags")]),
                    FieldPanel("collection"),
                    FieldPanel("starting_content"),
                ],
                heading=gettext_lazy("Where it belongs"),
            ),
        ],
        base_form_class=ItemForm,
    )


class AssessmentViewSet(BankViewSet):
    """Quizzes, assignments and evaluations."""

    model = Assessment
    icon = "form"
    menu_label = gettext_lazy("Assessments")
    filterset_class = AssessmentFilterSet
    search_fields = ("title", "key")
    ordering = ("title",)
    list_display = [
        "title",
        Column("key", label=gettext_lazy("Key"), sort_key="key"),
        Column("kind", label=gettext_lazy("Kind"), accessor="get_kind_display", sort_key="kind"),
        Column("collection", label=gettext_lazy("Collection"), sort_key="collection__path"),
        LocaleColumn(),
        Column("times_used", label=gettext_lazy("Used by"), sort_key="times_used"),
        UpdatedAtColumn(),
    ]
    edit_handler = ObjectList(
        [
            FieldPanel("title"),
            FieldRowPanel([FieldPanel("kind"), FieldPanel("minutes")]),
            FieldPanel("intro"),
            MultiFieldPanel([FieldPanel("sections")], heading=gettext_lazy("For a quiz or an evaluation")),
            MultiFieldPanel(
                [
                    FieldRowPanel(
                        [FieldPanel("allow_text"), FieldPanel("allow_files"), FieldPanel("max_files")]
                    ),
                    FieldPanel("rubric"),
                ],
                heading=gettext_lazy("For an assignment"),
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel(
                        [FieldPanel("pass_mark"), FieldPanel("attempts"), FieldPanel("time_limit")]
                    ),
                    FieldPanel("feedback"),
                    FieldRowPanel([FieldPanel("shuffle_items"), FieldPanel("shuffle_options")]),
                ],
                heading=gettext_lazy("Rules"),
            ),
            MultiFieldPanel(
                [
                    FieldPanel("key", help_text=gettext_lazy("A short name for content packs and lists.")),
                    FieldPanel("collection"),
                    FieldPanel("starting_content"),
                ],
                heading=gettext_lazy("Where it belongs"),
            ),
        ],
        base_form_class=AssessmentForm,
    )


class AssessmentsGroup(SnippetViewSetGroup):
    """What the CMS knows of assessing."""

    menu_label = gettext_lazy("Assessments")
    menu_icon = "form"
    menu_order = 220
    items = (ItemViewSet, AssessmentViewSet)
