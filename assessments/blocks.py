"""The parts of items and assessments as authors edit them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.snippets.blocks import SnippetChooserBlock

from standards.models import Level

PLAIN_FEATURES = ["bold", "italic", "link"]


class OptionBlock(blocks.StructBlock):
    """One option of a choice. The block's id is the option's key in an edition unless `key` is given."""

    key = blocks.CharBlock(
        label=_("Key"), required=False, max_length=40, help_text=_("Leave empty for a new one.")
    )
    text = blocks.RichTextBlock(label=_("Text"), features=PLAIN_FEATURES)
    correct = blocks.BooleanBlock(label=_("Right"), required=False)
    feedback = blocks.RichTextBlock(label=_("Feedback"), features=PLAIN_FEATURES, required=False)

    class Meta:
        icon = "list-ul"
        label = _("Option")


class AcceptBlock(blocks.CharBlock):
    """An answer that counts as right; compared without case, accents and outer spaces."""

    class Meta:
        icon = "tick"
        label = _("Accepted answer")


class SectionBlock(blocks.StructBlock):
    """A part of a quiz: items one by one, or a number of them drawn by competency or tag."""

    title = blocks.CharBlock(label=_("Title"), required=False)
    items = blocks.ListBlock(
        SnippetChooserBlock("assessments.Item", label=_("Item")), label=_("Items"), required=False, default=[]
    )
    draw = blocks.IntegerBlock(
        label=_("Draw this many"),
        required=False,
        min_value=1,
        help_text=_("From the items above, or from all items with the tag or competency below."),
    )
    tag = blocks.CharBlock(label=_("Items with this tag"), required=False)
    competency = blocks.CharBlock(
        label=_("Items of this competency"), required=False, help_text=_("Its code, such as B2.")
    )

    class Meta:
        icon = "folder-open-inverse"
        label = _("Section")


class RubricLevelBlock(blocks.StructBlock):
    """One level of a criterion, from lowest to highest."""

    points = blocks.DecimalBlock(label=_("Points"), min_value=0)
    title = blocks.CharBlock(label=_("Title"))
    text = blocks.TextBlock(label=_("What it looks like"), required=False)


class CriterionBlock(blocks.StructBlock):
    """One criterion of a rubric, mapped to a competency at a level."""

    key = blocks.CharBlock(label=_("Key"), required=False, max_length=40)
    title = blocks.CharBlock(label=_("Title"))
    competency = blocks.CharBlock(label=_("Competency"), required=False, help_text=_("Its code, such as B2."))
    level = blocks.ChoiceBlock(label=_("Level"), choices=Level.choices, required=False)
    levels = blocks.ListBlock(RubricLevelBlock(), label=_("Levels"))

    class Meta:
        icon = "list-ol"
        label = _("Criterion")
