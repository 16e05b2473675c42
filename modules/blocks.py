"""The blocks that a lesson is written with. A block's id, or its key where a pack gave one, is its key."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.images.blocks import ImageChooserBlock

TEXT_FEATURES = ["h2", "h3", "bold", "italic", "ol", "ul", "link"]
PLAIN_FEATURES = ["bold", "italic", "ol", "ul", "link"]


class OutcomeBlock(blocks.CharBlock):
    """One thing that a person can do afterwards."""

    class Meta:
        icon = "tick"
        label = _("Outcome")


class KeyedBlock(blocks.StructBlock):
    """A block that a learner's words or a translation must find again: `key` is the same in each language."""

    key = blocks.CharBlock(
        label=_("Key"), required=False, max_length=80,
        help_text=_("A short name, the same in both languages. Leave empty and one is made."),
    )


class CalloutBlock(KeyedBlock):
    tone = blocks.ChoiceBlock(
        label=_("Tone"), choices=[("practice", _("From practice")), ("note", _("Note")), ("care", _("Take care"))],
        default="practice",
    )
    title = blocks.CharBlock(label=_("Title"), required=False)
    body = blocks.RichTextBlock(label=_("Text"), features=PLAIN_FEATURES)

    class Meta:
        icon = "warning"
        label = _("Callout")


class CaseStudyBlock(KeyedBlock):
    title = blocks.CharBlock(label=_("Title"))
    place = blocks.CharBlock(label=_("Place"), help_text=_("Say that it is invented, where it is."))
    body = blocks.RichTextBlock(label=_("Text"), features=["h3", *PLAIN_FEATURES])
    questions = blocks.ListBlock(blocks.CharBlock(label=_("Question")), label=_("Questions"), default=[])

    class Meta:
        icon = "home"
        label = _("Case study")


class QuotationBlock(KeyedBlock):
    body = blocks.RichTextBlock(label=_("Words quoted"), features=["bold", "italic"])
    attribution = blocks.CharBlock(label=_("Who said it"))
    source = blocks.CharBlock(label=_("Source"), required=False, help_text=_("The short name of a source."))

    class Meta:
        icon = "openquote"
        label = _("Quotation")


class DefinitionBlock(KeyedBlock):
    term = blocks.CharBlock(label=_("Term"))
    body = blocks.RichTextBlock(label=_("Meaning"), features=PLAIN_FEATURES)

    class Meta:
        icon = "title"
        label = _("Definition")


class AccordionBlock(KeyedBlock):
    items = blocks.ListBlock(
        blocks.StructBlock(
            [
                ("title", blocks.CharBlock(label=_("Title"))),
                ("body", blocks.RichTextBlock(label=_("Text"), features=PLAIN_FEATURES)),
            ]
        ),
        label=_("Parts"),
    )

    class Meta:
        icon = "list-ul"
        label = _("Accordion")


class TableBlock(KeyedBlock):
    caption = blocks.CharBlock(label=_("Caption"))
    header = blocks.ListBlock(blocks.CharBlock(required=False), label=_("Headings of the columns"))
    rows = blocks.ListBlock(blocks.ListBlock(blocks.CharBlock(required=False)), label=_("Rows"))

    class Meta:
        icon = "table"
        label = _("Table")


class PictureBlock(KeyedBlock):
    image = ImageChooserBlock(label=_("Picture"))
    alt = blocks.CharBlock(label=_("Alternative text"), required=False, help_text=_("What a person who cannot see it needs to know."))
    decorative = blocks.BooleanBlock(label=_("Only decoration"), required=False)
    caption = blocks.CharBlock(label=_("Caption"), required=False)
    credit = blocks.CharBlock(label=_("Credit"), required=False)

    class Meta:
        icon = "image"
        label = _("Picture")

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if not cleaned["decorative"] and not cleaned["alt"].strip():
            raise blocks.StructBlockValidationError(
                block_errors={
                    "alt": ValidationError(_("Say in words what the picture shows, or mark it as decoration."))
                }
            )
        return cleaned


class FigureBlock(KeyedBlock):
    svg = DocumentChooserBlock(label=_("Drawing (SVG)"))
    caption = blocks.CharBlock(label=_("Caption"))
    equivalent = blocks.RichTextBlock(label=_("The same in words"), features=PLAIN_FEATURES)

    class Meta:
        icon = "draft"
        label = _("Figure")


class VideoBlock(KeyedBlock):
    title = blocks.CharBlock(label=_("Title"))
    file = DocumentChooserBlock(label=_("File (MP4 or WebM)"), required=False)
    url = blocks.URLBlock(label=_("Or an address"), required=False)
    captions = DocumentChooserBlock(label=_("Captions (VTT)"), required=False)
    transcript = blocks.RichTextBlock(label=_("Transcript"), features=PLAIN_FEATURES)
    minutes = blocks.IntegerBlock(label=_("Minutes"), required=False, min_value=1)

    class Meta:
        icon = "media"
        label = _("Video")


class AudioBlock(KeyedBlock):
    title = blocks.CharBlock(label=_("Title"))
    file = DocumentChooserBlock(label=_("File (MP3 or OGG)"))
    transcript = blocks.RichTextBlock(label=_("Transcript"), features=PLAIN_FEATURES)

    class Meta:
        icon = "media"
        label = _("Audio")


class FileBlock(KeyedBlock):
    title = blocks.CharBlock(label=_("Title"))
    file = DocumentChooserBlock(label=_("File"))
    description = blocks.CharBlock(label=_("Description"), required=False)

    class Meta:
        icon = "doc-full"
        label = _("Document")


class ReflectionBlock(KeyedBlock):
    prompt = blocks.TextBlock(label=_("Question to think about"))
    help = blocks.CharBlock(label=_("Help"), required=False)
    required = blocks.BooleanBlock(label=_("Needed to complete the lesson"), required=False)

    class Meta:
        icon = "edit"
        label = _("Reflection")


class CheckOptionBlock(blocks.StructBlock):
    key = blocks.CharBlock(label=_("Key"), required=False, max_length=40)
    text = blocks.CharBlock(label=_("Text"))
    correct = blocks.BooleanBlock(label=_("Right"), required=False)
    feedback = blocks.TextBlock(label=_("Feedback"))


class CheckBlock(KeyedBlock):
    prompt = blocks.TextBlock(label=_("Question"))
    kind = blocks.ChoiceBlock(
        label=_("Kind"), choices=[("single", _("Single choice")), ("multiple", _("Multiple response"))], default="single"
    )
    required = blocks.BooleanBlock(label=_("Needed to complete the lesson"), required=False, default=True)
    options = blocks.ListBlock(CheckOptionBlock(), label=_("Options"), min_num=2)

    class Meta:
        icon = "tick-inverse"
        label = _("Knowledge check")


class WorksheetFieldBlock(blocks.StructBlock):
    key = blocks.CharBlock(label=_("Key"), required=False, max_length=40)
    label = blocks.CharBlock(label=_("Label"))
    help = blocks.CharBlock(label=_("Help"), required=False)
    rows = blocks.IntegerBlock(label=_("Lines to write on"), default=3, min_value=1, max_value=10)


class WorksheetBlock(KeyedBlock):
    title = blocks.CharBlock(label=_("Title"))
    intro = blocks.TextBlock(label=_("Introduction"), required=False)
    fields = blocks.ListBlock(WorksheetFieldBlock(), label=_("Fields"), min_num=1)

    class Meta:
        icon = "form"
        label = _("In your community: worksheet")


class LessonBody(blocks.StreamBlock):
    """Everything a course author expects, in the order they reach for it."""

    text = blocks.RichTextBlock(
        label=_("Text"), features=TEXT_FEATURES, icon="pilcrow",
        help_text=_("Cite a source at the sentence by its short name: [^perreault-2023]."),
    )
    picture = PictureBlock()
    figure = FigureBlock()
    video = VideoBlock()
    audio = AudioBlock()
    document = FileBlock()
    table = TableBlock()
    quotation = QuotationBlock()
    callout = CalloutBlock()
    accordion = AccordionBlock()
    definition = DefinitionBlock()
    case_study = CaseStudyBlock()
    reflection = ReflectionBlock()
    check = CheckBlock()
    worksheet = WorksheetBlock()
