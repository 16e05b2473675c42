"""The blocks that a lesson is written with. A block's id, or its key where a pack gave one, is its key.

Words are translated; keys, tones, kinds and what is right are not: wagtail-localize copies those from the source
language (`UntranslatedCharBlock`, and the choices, numbers and ticks, which it never offers for translation).
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.images.blocks import ImageChooserBlock

TEXT_FEATURES = ["h2", "h3", "bold", "italic", "ol", "ul", "link"]
PLAIN_FEATURES = ["bold", "italic", "ol", "ul", "link"]

INTERACTIVE_KINDS = ("reflection", "check", "worksheet")


class PreviewedBlock(blocks.StructBlock):
    """A block whose example is shown where an author chooses one, drawn as a lesson draws it."""

    @property
    def is_previewable(self) -> bool:
        return hasattr(self.meta, "preview_value")

    def get_preview_context(self, value: Any, parent_context: dict[str, Any] | None = None) -> dict[str, Any]:
        from modules.previews import render_example

        context: dict[str, Any] = super().get_preview_context(value, parent_context)
        return {**context, "segments": render_example(self.name, value)}

    class Meta:
        preview_template = "modules/admin/block_preview.html"


class OutcomeBlock(blocks.CharBlock):
    """One thing that a person can do afterwards."""

    class Meta:
        icon = "tick"
        label = _("Outcome")


class UntranslatedCharBlock(blocks.CharBlock):
    """A short text that is the same in each language; a translator never sees it."""

    def get_translatable_segments(self, value: Any) -> list[Any]:
        return []

    def restore_translated_segments(self, value: Any, segments: Any) -> Any:
        return value

    class Meta:
        icon = "key"


class KeyedBlock(PreviewedBlock):
    """A block that a learner's words or a translation must find again: `key` is the same in each language."""

    key = UntranslatedCharBlock(
        label=_("Key"),
        required=False,
        max_length=80,
        help_text=_("A short name, the same in both languages. Leave it empty and one is made."),
    )


class CalloutBlock(KeyedBlock):
    tone = blocks.ChoiceBlock(
        label=_("Tone"),
        choices=[("practice", _("From practice")), ("note", _("Note")), ("care", _("Take care"))],
        default="practice",
        help_text=_("Green says how it is done, blue adds a fact, yellow warns."),
    )
    title = blocks.CharBlock(label=_("Title"), required=False)
    body = blocks.RichTextBlock(label=_("Text"), features=PLAIN_FEATURES)

    class Meta:
        icon = "warning"
        label = _("Callout")
        label_format = "{title}"
        description = _("A short text that stands apart from the rest.")
        preview_value = {
            "tone": "practice",
            "title": "Say it like this",
            "body": "<p>“We had nine break-ins last year. In a town our size, from two to twelve is usual.”</p>",
        }


class CaseStudyBlock(KeyedBlock):
    title = blocks.CharBlock(label=_("Title"))
    place = blocks.CharBlock(
        label=_("Place"), help_text=_("Where it happens. Say that the place is invented, where it is.")
    )
    body = blocks.RichTextBlock(label=_("Text"), features=["h3", *PLAIN_FEATURES])
    questions = blocks.ListBlock(
        blocks.CharBlock(label=_("Question")),
        label=_("Questions"),
        default=[],
        help_text=_("What a group, or one person, can think through."),
    )

    class Meta:
        icon = "home"
        label = _("Case study")
        label_format = "{title}"
        description = _("A story from practice, with questions.")
        preview_value = {
            "title": "A sign at the co-op",
            "place": "Tamarack Bend, an invented town",
            "body": "<p>Someone puts up a sign: “Property crime up 30%”.</p>",
            "questions": ["What would you ask first?"],
        }


class QuotationBlock(KeyedBlock):
    body = blocks.RichTextBlock(label=_("Words quoted"), features=["bold", "italic"])
    attribution = blocks.CharBlock(label=_("Who said it"))
    source = UntranslatedCharBlock(
        label=_("Source"), required=False, help_text=_("The short name of a source, such as un-2002.")
    )

    class Meta:
        icon = "openquote"
        label = _("Quotation")
        label_format = "{attribution}"
        description = _("Someone’s own words, with their source.")
        preview_value = {
            "body": "<p>Crime prevention rests on a broad foundation of knowledge.</p>",
            "attribution": "United Nations, 2002",
            "source": "",
        }


class DefinitionBlock(KeyedBlock):
    term = blocks.CharBlock(label=_("Term"))
    body = blocks.RichTextBlock(label=_("Meaning"), features=PLAIN_FEATURES)

    class Meta:
        icon = "title"
        label = _("Definition")
        label_format = "{term}"
        description = _("What a word means here.")
        preview_value = {"term": "Rate", "body": "<p>A count divided by the number of people.</p>"}


class AccordionBlock(KeyedBlock):
    items = blocks.ListBlock(
        blocks.StructBlock(
            [
                ("title", blocks.CharBlock(label=_("Title"))),
                ("body", blocks.RichTextBlock(label=_("Text"), features=PLAIN_FEATURES)),
            ]
        ),
        label=_("Parts"),
        min_num=1,
    )

    class Meta:
        icon = "list-ul"
        label = _("Accordion")
        description = _("Parts that a reader opens one by one.")
        preview_value = {
            "items": [
                {"title": "Ownership", "body": "<p>A community owns its information together.</p>"},
                {"title": "Control", "body": "<p>It controls how that is collected and used.</p>"},
            ]
        }


def _table_fields() -> list[tuple[str, blocks.Block]]:
    cells = blocks.ListBlock(blocks.CharBlock(required=False, label=_("Cell")), label=_("Row"))
    return [
        (
            "header",
            blocks.ListBlock(
                blocks.CharBlock(required=False, label=_("Heading")),
                label=_("Headings of the columns"),
                min_num=1,
            ),
        ),
        (
            "rows",
            blocks.ListBlock(
                cells, label=_("Rows"), help_text=_("Give each row as many cells as there are headings.")
            ),
        ),
    ]


def _check_row_lengths(value: Any) -> None:
    """Refuses a table whose rows are not as long as its headings: a screen reader would misname the cells."""
    width = len(value["header"])
    if any(len(row) != width for row in value["rows"]):
        raise blocks.StructBlockValidationError(
            block_errors={
                "rows": ValidationError(
                    _("Give each row %(width)d cells, as many as there are headings.") % {"width": width}
                )
            }
        )


class BareTableBlock(blocks.StructBlock):
    """A table inside another block, which says what it shows."""

    def __init__(self, local_blocks: Any = None, **kwargs: Any) -> None:
        super().__init__(local_blocks or _table_fields(), **kwargs)

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        _check_row_lengths(cleaned)
        return cleaned

    class Meta:
        icon = "table"
        label = _("Table")


class TableBlock(KeyedBlock):
    caption = blocks.CharBlock(
        label=_("Caption"), required=False, help_text=_("One sentence that says what the table shows.")
    )

    def __init__(self, local_blocks: Any = None, **kwargs: Any) -> None:
        super().__init__(local_blocks or _table_fields(), **kwargs)

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        _check_row_lengths(cleaned)
        return cleaned

    class Meta:
        icon = "table"
        label = _("Table")
        label_format = "{caption}"
        description = _("Rows and columns; the first cell of a row names it.")
        preview_value = {
            "caption": "Break-ins (invented)",
            "header": ["Year", "Count"],
            "rows": [["2024", "6"], ["2025", "9"]],
        }


class PictureBlock(KeyedBlock):
    image = ImageChooserBlock(label=_("Picture"))
    alt = blocks.CharBlock(
        label=_("Alternative text"),
        required=False,
        help_text=_("What a person who cannot see it needs to know."),
    )
    decorative = blocks.BooleanBlock(
        label=_("Only decoration"),
        required=False,
        help_text=_("It tells nothing that the text does not tell."),
    )
    caption = blocks.CharBlock(label=_("Caption"), required=False)
    credit = blocks.CharBlock(label=_("Credit"), required=False)

    class Meta:
        icon = "image"
        label = _("Picture")
        label_format = "{caption}"
        description = _("A photograph or a drawing, with words for who cannot see it.")

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if not cleaned["decorative"] and not cleaned["alt"].strip():
            raise blocks.StructBlockValidationError(
                block_errors={
                    "alt": ValidationError(
                        _("Say in words what the picture shows, or mark it as decoration.")
                    )
                }
            )
        return cleaned


class EquivalentBlock(blocks.StreamBlock):
    """What a figure shows, in words and tables."""

    text = blocks.RichTextBlock(label=_("Text"), features=PLAIN_FEATURES)
    table = BareTableBlock()


class FigureBlock(KeyedBlock):
    svg = DocumentChooserBlock(
        label=_("Drawing (SVG)"),
        help_text=_(
            "A drawing with words in it needs one file a language. "
            "Draw in currentColor, so that it suits a dark screen."
        ),
    )
    caption = blocks.CharBlock(label=_("Caption"))
    equivalent = EquivalentBlock(label=_("The same in words"), min_num=1)

    class Meta:
        icon = "draft"
        label = _("Figure")
        label_format = "{caption}"
        description = _("A chart or a diagram, with the same in words.")


class VideoBlock(KeyedBlock):
    title = blocks.CharBlock(label=_("Title"))
    file = DocumentChooserBlock(label=_("File (MP4 or WebM)"), required=False)
    url = blocks.URLBlock(
        label=_("Or an address"),
        required=False,
        help_text=_("Nothing is asked of that address before the learner’s own click."),
    )
    captions = DocumentChooserBlock(label=_("Captions (VTT)"), required=False)
    transcript = blocks.RichTextBlock(label=_("Transcript"), features=PLAIN_FEATURES)
    minutes = blocks.IntegerBlock(label=_("Minutes"), required=False, min_value=1)

    class Meta:
        icon = "media"
        label = _("Video")
        label_format = "{title}"
        description = _("A film with captions and a transcript.")

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        errors = {}
        if bool(cleaned["file"]) == bool(cleaned["url"]):
            errors["file"] = ValidationError(_("Choose a file or give an address: one of the two."))
        if cleaned["file"] and not cleaned["captions"]:
            errors["captions"] = ValidationError(_("A film needs captions: choose a VTT file."))
        if errors:
            raise blocks.StructBlockValidationError(block_errors=errors)
        return cleaned


class AudioBlock(KeyedBlock):
    title = blocks.CharBlock(label=_("Title"))
    file = DocumentChooserBlock(label=_("File (MP3 or OGG)"))
    transcript = blocks.RichTextBlock(label=_("Transcript"), features=PLAIN_FEATURES)

    class Meta:
        icon = "media"
        label = _("Audio")
        label_format = "{title}"
        description = _("A recording with a transcript.")


class FileBlock(KeyedBlock):
    title = blocks.CharBlock(label=_("Title"))
    file = DocumentChooserBlock(label=_("File"))
    description = blocks.CharBlock(label=_("Description"), required=False)

    class Meta:
        icon = "doc-full"
        label = _("Document")
        label_format = "{title}"
        description = _("A file to download. Each edition keeps its own copy.")


class ReflectionBlock(KeyedBlock):
    prompt = blocks.TextBlock(label=_("Question to think about"))
    help = blocks.CharBlock(label=_("Help"), required=False)
    required = blocks.BooleanBlock(
        label=_("Needed to complete the lesson"),
        required=False,
        help_text=_("The learner has to write something. Only the learner can read it."),
    )

    class Meta:
        icon = "edit"
        label = _("Reflection")
        label_format = "{prompt}"
        description = _("A question whose answer is kept for the learner alone.")
        preview_value = {
            "prompt": "Which figure does your council hear most often?",
            "help": "For example more years, or a fairer bottom number.",
            "required": False,
        }


class CheckOptionBlock(blocks.StructBlock):
    key = UntranslatedCharBlock(
        label=_("Key"), required=False, max_length=40, help_text=_("Leave it empty and one is made.")
    )
    text = blocks.CharBlock(label=_("Text"))
    correct = blocks.BooleanBlock(label=_("Right"), required=False)
    feedback = blocks.TextBlock(
        label=_("Feedback"), help_text=_("Why it is right, or what to think of instead.")
    )


class CheckBlock(KeyedBlock):
    prompt = blocks.TextBlock(label=_("Question"))
    kind = blocks.ChoiceBlock(
        label=_("Kind"),
        choices=[("single", _("Single choice")), ("multiple", _("Multiple response"))],
        default="single",
    )
    required = blocks.BooleanBlock(
        label=_("Needed to complete the lesson"),
        required=False,
        default=True,
        help_text=_("The learner has to answer; a wrong answer counts too, since this is practice."),
    )
    options = blocks.ListBlock(CheckOptionBlock(), label=_("Options"), min_num=2)

    class Meta:
        icon = "tick-inverse"
        label = _("Knowledge check")
        label_format = "{prompt}"
        description = _("A question in the text, with feedback to each option.")
        preview_value = {
            "prompt": "A neighbour says that violence has tripled. What do you answer?",
            "kind": "single",
            "required": True,
            "options": [
                {"key": "a", "text": "It has.", "correct": False, "feedback": ""},
                {"key": "b", "text": "Three people were hurt. Let us look.", "correct": True, "feedback": ""},
            ],
        }

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        right = sum(1 for option in cleaned["options"] if option["correct"])
        if right == 0 or (cleaned["kind"] == "single" and right > 1):
            raise blocks.StructBlockValidationError(
                block_errors={
                    "options": ValidationError(
                        _("Mark one option as right.")
                        if cleaned["kind"] == "single"
                        else _("Mark at least one option as right.")
                    )
                }
            )
        return cleaned


class WorksheetFieldBlock(blocks.StructBlock):
    key = UntranslatedCharBlock(
        label=_("Key"), required=False, max_length=40, help_text=_("Leave it empty and one is made.")
    )
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
        label_format = "{title}"
        description = _("Fields about the learner’s own community, to print or to download.")
        preview_value = {
            "title": "My number",
            "intro": "Use the question from part 1.",
            "fields": [
                {"key": "counts", "label": "Counts, for as many years as we have", "help": "", "rows": 2}
            ],
        }


class LessonBody(blocks.StreamBlock):
    """Everything a course author expects, in the order they reach for it."""

    text = blocks.RichTextBlock(
        label=_("Text"),
        features=TEXT_FEATURES,
        icon="pilcrow",
        help_text=_("Cite a source at the sentence by its short name: [^perreault-2023]."),
        description=_("Headings, paragraphs and lists."),
    )
    picture = PictureBlock(group=_("To look at"))
    figure = FigureBlock(group=_("To look at"))
    video = VideoBlock(group=_("To look at"))
    audio = AudioBlock(group=_("To look at"))
    document = FileBlock(group=_("To look at"))
    table = TableBlock(group=_("To look at"))
    quotation = QuotationBlock(group=_("To read"))
    callout = CalloutBlock(group=_("To read"))
    accordion = AccordionBlock(group=_("To read"))
    definition = DefinitionBlock(group=_("To read"))
    case_study = CaseStudyBlock(group=_("To read"))
    reflection = ReflectionBlock(group=_("To do"))
    check = CheckBlock(group=_("To do"))
    worksheet = WorksheetBlock(group=_("To do"))
