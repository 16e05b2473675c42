"""Pack Markdown: rich text that the editor can hold, and `::: kind key` blocks as StreamField values.

Nothing is taken that an author could not have made in the CMS, so that a loaded page can be opened and saved there
without loss: a heading level, a quotation mark or a picture that the editor does not know is refused by line.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol

from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.token import Token

from core.sanitize import clean_kept
from core.yaml_files import YAMLError, parse_yaml
from modules.pack_fields import SLUG, Fields, refuse

# The kinds of `docs/packs.md`; those with a text after `---` are marked.
KINDS: Final[Mapping[str, bool]] = {
    "callout": True,
    "case-study": True,
    "quotation": True,
    "definition": True,
    "accordion": False,
    "table": False,
    "picture": False,
    "figure": False,
    "video": False,
    "audio": False,
    "document": False,
    "reflection": False,
    "check": False,
    "worksheet": False,
}
_OPENING = re.compile(r"^:::\s*(?P<kind>[a-z-]+)(?:\s+(?P<key>\S+))?\s*$")
_BETWEEN_BLOCKS = re.compile(r"(</?(?:p|h2|h3|ul|ol|li)>)\s*\n\s*(?=<)|\s*\n\s*(</?(?:ul|ol|li)>)")
_FLOWING = {"paragraph", "bullet_list", "ordered_list", "list_item", "inline", "heading"}
_INLINE = {"text", "softbreak", "hardbreak", "strong", "em", "link"}


@dataclass(frozen=True, kw_only=True)
class RawBlock:
    """One block of a file: a kind and its key with YAML and perhaps a text, or running text (`kind` empty)."""

    kind: str
    key: str
    line: int
    place: str
    data: Mapping[str, Any]
    text: str = ""


def split_blocks(text: str, *, file: str, first_line: int = 1) -> list[RawBlock]:
    """The blocks of a lesson's text in order. `first_line` is the line of the file that the text begins at."""
    blocks: list[RawBlock] = []
    running: list[str] = []
    start = first_line
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        if not line.startswith(":::"):
            if not running:
                start = first_line + number
            running.append(line)
            number += 1
            continue
        _end_text(blocks, running, file, start)
        end = next((at for at in range(number + 1, len(lines)) if lines[at].strip() == ":::"), None)
        blocks.append(
            _read_block(line, lines[number + 1 : end], file, first_line + number, closed=end is not None)
        )
        number = (end if end is not None else len(lines)) + 1
    _end_text(blocks, running, file, start)
    keys = [block.key for block in blocks if block.key]
    for block in blocks:
        if block.key and keys.count(block.key) > 1:
            raise refuse(block.place, _("two blocks of the file have this key."))
    return blocks


def _end_text(blocks: list[RawBlock], running: list[str], file: str, start: int) -> None:
    text = "\n".join(running).strip("\n")
    if text.strip():
        skipped = len(running) - len("\n".join(running).lstrip("\n").split("\n"))
        line = start + max(0, skipped)
        blocks.append(RawBlock(kind="", key="", line=line, place=_at(file, line), data={}, text=text))
    running.clear()


def _at(file: str, line: int) -> str:
    return _("%(file)s, line %(line)d") % {"file": file, "line": line}


def _read_block(opening: str, lines: list[str], file: str, line: int, *, closed: bool) -> RawBlock:
    found = _OPENING.match(opening)
    if found is None or found["kind"] not in KINDS:
        raise refuse(
            _at(file, line), _("“%(line)s” opens no block that is known.") % {"line": opening.strip()}
        )
    kind, key = found["kind"], found["key"] or ""
    place = _("%(file)s, line %(line)d (%(kind)s %(key)s)") % {
        "file": file,
        "line": line,
        "kind": kind,
        "key": key,
    }
    if not closed:
        raise refuse(place, _("the block is not closed by a line of three colons."))
    if not SLUG.match(key) or len(key) > 80:
        raise refuse(place, _("the block needs a key: small letters, digits and hyphens."))
    head, body = lines, ""
    if KINDS[kind]:
        if "---" not in [entry.strip() for entry in lines]:
            raise refuse(place, _("a line of three hyphens is missing between the fields and the text."))
        cut = [entry.strip() for entry in lines].index("---")
        head, body = lines[:cut], "\n".join(lines[cut + 1 :]).strip("\n")
        if not body.strip():
            raise refuse(place, _("the text after the three hyphens is missing."))
    try:
        data = parse_yaml("\n".join(head))
    except YAMLError as error:
        raise refuse(place, _("the fields cannot be read: %(error)s") % {"error": error}) from error
    if not isinstance(data, Mapping):
        raise refuse(place, _("names and values are expected."))
    return RawBlock(kind=kind, key=key, line=line, place=place, data=data, text=body)


# --- Rich text --------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def make_rich_text(text: str, *, place: str, headings: Sequence[str] = ()) -> str:
    """Markdown as the HTML of a rich text field. `headings`: the levels it may have, `h2` and `h3`.

    Where only `h3` may stand, a file's second-level headings become that. Raises PackError for tables and for what
    the field cannot hold.
    """
    pieces = make_pieces(text, place=place, headings=headings)
    if any(kind == "table" for kind, _value in pieces):
        raise refuse(place, _("a table cannot stand inside this text; give it a block of its own."))
    return "".join(value for _kind, value in pieces)


def make_pieces(text: str, *, place: str, headings: Sequence[str] = ()) -> list[tuple[str, Any]]:
    """Markdown as rich texts and tables in order: `("text", html)` and `("table", {"header", "rows"})`."""
    tokens = _parser().parse(text)
    pieces: list[tuple[str, Any]] = []
    run: list[Token] = []
    number = 0
    while number < len(tokens):
        if tokens[number].type != "table_open":
            run.append(tokens[number])
            number += 1
            continue
        end = next(at for at in range(number, len(tokens)) if tokens[at].type == "table_close")
        _end_run(pieces, run, place, headings)
        pieces.append(("table", _read_table(tokens[number : end + 1], place)))
        number = end + 1
    _end_run(pieces, run, place, headings)
    return pieces


# A pack is read to be checked and again to be loaded, mostly with the same texts; cleaning is most of reading them.
_clean: Final = lru_cache(maxsize=4096)(clean_kept)


def _end_run(pieces: list[tuple[str, Any]], run: list[Token], place: str, headings: Sequence[str]) -> None:
    if run:
        _check_tokens(run, place, headings)
        parser = _parser()
        html = _as_editor(_clean(parser.renderer.render(run, parser.options, {})))
        if html:
            pieces.append(("text", html))
        run.clear()


def _as_editor(html: str) -> str:
    """The markup that the editor itself would write, so that saving there without a change changes nothing."""
    for ours, theirs in (("strong", "b"), ("em", "i")):
        html = html.replace(f"<{ours}>", f"<{theirs}>").replace(f"</{ours}>", f"</{theirs}>")
    return (
        _BETWEEN_BLOCKS.sub(lambda found: found.group(1) or found.group(2), html).replace("\n", " ").strip()
    )


def _check_tokens(tokens: list[Token], place: str, headings: Sequence[str]) -> None:
    paragraphs: list[int] = []
    for token in tokens:
        kind = _kind_of(token)
        if kind not in _FLOWING:
            raise _refuse_token(token, place)
        if kind == "heading":
            _fit_heading(token, place, headings)
        elif kind == "list_item" and token.nesting == 1:
            paragraphs.append(0)
        elif kind == "list_item":
            paragraphs.pop()
        elif kind == "paragraph" and paragraphs:
            # The editor's lists are tight.
            token.hidden = True
            paragraphs[-1] += token.nesting == 1
            if paragraphs[-1] > 1:
                raise refuse(place, _("an entry of a list has one paragraph; join them, or end the list."))
        for child in token.children or ():
            if _kind_of(child) not in _INLINE:
                raise _refuse_token(child, place, line=token.map)


def _kind_of(token: Token) -> str:
    return token.type.removesuffix("_open").removesuffix("_close")


def _fit_heading(token: Token, place: str, headings: Sequence[str]) -> None:
    if token.tag == "h2" and "h2" not in headings and "h3" in headings:
        token.tag = "h3"
    if token.tag not in headings:
        raise _refuse_token(token, place)


def _refuse_token(token: Token, place: str, line: list[int] | None = None) -> Exception:
    names = {
        "blockquote": _("a quotation (use a “quotation” block)"),
        "image": _("a picture (use a “picture” block)"),
        "fence": _("code"),
        "code_block": _("an indented text"),
        "code_inline": _("code"),
        "hr": _("a line across"),
        "heading": _("a heading of this level"),
    }
    kind = _kind_of(token)
    where = line or token.map
    at = _(", line %(line)d of the text") % {"line": where[0] + 1} if where else ""
    return refuse(f"{place}{at}", _("%(what)s cannot stand here.") % {"what": names.get(kind, kind)})


def _read_table(tokens: list[Token], place: str) -> dict[str, Any]:
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_plain_cell(token, place))
    return {"header": rows[0], "rows": rows[1:]}


def _plain_cell(token: Token, place: str) -> str:
    for child in token.children or ():
        if child.type != "text":
            raise refuse(place, _("the cell “%(cell)s” may hold plain text only.") % {"cell": token.content})
    return "".join(child.content for child in token.children or ())


# --- StreamField values -----------------------------------------------------------------------------------------


class Files(Protocol):
    """Where a pack's files become documents and pictures of the CMS."""

    def document(self, name: str, *, place: str) -> int: ...

    def image(self, name: str, *, place: str) -> int: ...


def make_body(
    blocks: Sequence[RawBlock],
    *,
    step: uuid.UUID,
    files: Files,
    source: Sequence[Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """The raw value of a lesson's body. `source` is that of the source language, for any other language.

    Ids are made from the step and the block's key, so that loading twice gives the same value, and a translation has
    the same ids as its source.
    """
    body: list[dict[str, Any]] = []
    ours = [entry for entry in source or () if entry["type"] != "text" and entry["value"].get("key")]
    seen = 0
    after = "start"
    for block in blocks:
        if not block.kind:
            body += _make_text(block, step=step, after=after)
            continue
        twin = None
        if source is not None:
            twin = _find_twin(block, ours, seen)
            seen += 1
        maker = BlockMaker(block, step=step, files=files, source=twin)
        body.append(
            {"type": block.kind.replace("-", "_"), "id": maker.make_id(block.key), "value": maker.make()}
        )
        after = block.key
    if source is not None and seen < len(ours):
        raise refuse(
            blocks[-1].place if blocks else "",
            _("the block %(kind)s %(key)s of the source language is missing.")
            % {"kind": ours[seen]["type"].replace("_", "-"), "key": ours[seen]["value"]["key"]},
        )
    return body


def _make_id(step: uuid.UUID, name: str) -> str:
    return str(uuid.uuid5(step, name))


def _make_text(block: RawBlock, *, step: uuid.UUID, after: str) -> list[dict[str, Any]]:
    made = []
    for number, (kind, value) in enumerate(make_pieces(block.text, place=block.place, headings=("h2", "h3"))):
        name = _make_id(step, f"{kind}:{after}:{number}")
        if kind == "table":
            table = {"key": "", "caption": "", **_make_table(value, step=step, name=name)}
            made.append({"type": kind, "id": name, "value": table})
        else:
            made.append({"type": kind, "id": name, "value": value})
    return made


def _make_table(value: Mapping[str, Any], *, step: uuid.UUID, name: str) -> dict[str, Any]:
    return {
        "header": _make_items(value["header"], step=step, name=f"{name}:header"),
        "rows": [
            {
                "type": "item",
                "id": _make_id(step, f"{name}:row:{number}"),
                "value": _make_items(row, step=step, name=f"{name}:row:{number}"),
            }
            for number, row in enumerate(value["rows"])
        ],
    }


def _make_items(values: Sequence[Any], *, step: uuid.UUID, name: str) -> list[dict[str, Any]]:
    return [
        {"type": "item", "id": _make_id(step, f"{name}:{number}"), "value": value}
        for number, value in enumerate(values)
    ]


def _find_twin(block: RawBlock, ours: Sequence[Mapping[str, Any]], place: int) -> Mapping[str, Any]:
    expected = ours[place] if place < len(ours) else None
    if expected is None:
        raise refuse(block.place, _("the source language has no such block."))
    if (expected["type"], expected["value"]["key"]) != (block.kind.replace("-", "_"), block.key):
        raise refuse(
            block.place,
            _("the source language has %(kind)s %(key)s at this place.")
            % {"kind": expected["type"].replace("_", "-"), "key": expected["value"]["key"]},
        )
    value: Mapping[str, Any] = expected["value"]
    return value


class BlockMaker:
    """Makes the value of one block; of a translation, with the structure of its source."""

    def __init__(
        self, block: RawBlock, *, step: uuid.UUID, files: Files, source: Mapping[str, Any] | None
    ) -> None:
        self.block, self.step, self.files, self.source = block, step, files, source
        self.fields = Fields(block.data, block.place)

    def make(self) -> dict[str, Any]:
        make = getattr(self, f"make_{self.block.kind.replace('-', '_')}")
        value = {"key": self.block.key, **make()}
        self.fields.close()
        return value

    def make_id(self, name: str) -> str:
        return _make_id(self.step, f"block:{name}")

    def _items(self, values: Sequence[Any], name: str) -> list[dict[str, Any]]:
        return _make_items(values, step=self.step, name=f"{self.block.key}:{name}")

    def _rich(self, text: str, *, headings: Sequence[str] = (), name: str = "") -> str:
        place = f"{self.block.place}, {name}" if name else self.block.place
        return make_rich_text(text, place=place, headings=headings)

    def _shared(self, name: str, read: Any) -> Any:
        """A field of the structure: read in the source language, taken over in any other."""
        if self.source is None:
            return read()
        if self.fields.has(name):
            raise self.fields.refuse(name, _("it stands in the source language's file only."))
        return self.source[name]

    def make_callout(self) -> dict[str, Any]:
        return {
            "tone": self._shared("tone", lambda: self.fields.choice("tone", ("practice", "note", "care"))),
            "title": self.fields.text("title", required=False),
            "body": self._rich(self.block.text),
        }

    def make_case_study(self) -> dict[str, Any]:
        return {
            "title": self.fields.text("title"),
            "place": self.fields.text("place"),
            "body": self._rich(self.block.text, headings=("h3",)),
            "questions": self._items(self.fields.texts("questions"), "questions"),
        }

    def make_quotation(self) -> dict[str, Any]:
        return {
            "body": self._rich(self.block.text),
            "attribution": self.fields.text("attribution"),
            "source": self._shared("source", lambda: self.fields.text("source", required=False)),
        }

    def make_definition(self) -> dict[str, Any]:
        return {"term": self.fields.text("term"), "body": self._rich(self.block.text)}

    def make_accordion(self) -> dict[str, Any]:
        items = []
        for entry in self.fields.many("items"):
            title, body = entry.text("title"), entry.raw_text("body")
            entry.close()
            items.append({"title": title, "body": make_rich_text(body, place=entry.place)})
        return {"items": self._items(items, "items")}

    def make_table(self) -> dict[str, Any]:
        caption = self.fields.text("caption")
        header = self.fields.texts("header")
        rows = self.fields.take("rows")
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise self.fields.refuse("rows", _("a list of lists is expected."))
        if not header or any(len(row) != len(header) for row in rows):
            raise self.fields.refuse("rows", _("each row needs as many cells as there are headings."))
        table = {"header": header, "rows": [[str(cell) for cell in row] for row in rows]}
        return {"caption": caption, **_make_table(table, step=self.step, name=self.block.key)}

    def make_picture(self) -> dict[str, Any]:
        decorative = self._shared("decorative", lambda: self.fields.flag("decorative"))
        return {
            "image": self.source["image"] if self.source else self._image("file"),
            "alt": self.fields.text("alt", required=not decorative),
            "decorative": decorative,
            "caption": self.fields.text("caption", required=False),
            "credit": self.fields.text("credit", required=False),
        }

    def _image(self, name: str) -> int:
        return self.files.image(self.fields.text(name), place=self.block.place)

    def _document(self, name: str, *, required: bool = True) -> int | None:
        file = self.fields.text(name, required=required)
        return self.files.document(file, place=self.block.place) if file else None

    def make_figure(self) -> dict[str, Any]:
        svg = self._document("file")
        caption = self.fields.text("caption")
        pieces = make_pieces(self.fields.raw_text("equivalent"), place=f"{self.block.place}, equivalent")
        equivalent = []
        for number, (kind, value) in enumerate(pieces):
            name = f"{self.block.key}:equivalent:{number}"
            made = _make_table(value, step=self.step, name=name) if kind == "table" else value
            equivalent.append({"type": kind, "id": _make_id(self.step, name), "value": made})
        return {"svg": svg, "caption": caption, "equivalent": equivalent}

    def make_video(self) -> dict[str, Any]:
        value = {
            "title": self.fields.text("title"),
            "file": self._shared("file", lambda: self._document("file", required=False)),
            "url": self._shared("url", lambda: self.fields.text("url", required=False)),
            "captions": self._document("captions", required=False),
            "transcript": self._rich(self.fields.raw_text("transcript"), name="transcript"),
            "minutes": self._shared("minutes", lambda: self.fields.whole("minutes", least=1)),
        }
        if bool(value["file"]) == bool(value["url"]):
            raise self.fields.refuse("file", _("give a file or an address (url): one of the two."))
        return value

    def make_audio(self) -> dict[str, Any]:
        return {
            "title": self.fields.text("title"),
            "file": self._shared("file", lambda: self._document("file")),
            "transcript": self._rich(self.fields.raw_text("transcript"), name="transcript"),
        }

    def make_document(self) -> dict[str, Any]:
        return {
            "title": self.fields.text("title"),
            "file": self._document("file"),
            "description": self.fields.text("description", required=False),
        }

    def make_reflection(self) -> dict[str, Any]:
        return {
            "prompt": self.fields.text("prompt"),
            "help": self.fields.text("help", required=False),
            "required": self._shared("required", lambda: self.fields.flag("required")),
        }

    def _paired(self, name: str) -> list[tuple[Fields, Mapping[str, Any] | None]]:
        """The entries of a list, each with that of the source language."""
        entries = self.fields.many(name)
        if self.source is None:
            return [(entry, None) for entry in entries]
        twins = [item["value"] for item in self.source[name]]
        if len(twins) != len(entries):
            raise self.fields.refuse(
                name, _("the source language has %(number)d of them.") % {"number": len(twins)}
            )
        return list(zip(entries, twins, strict=True))

    def make_check(self) -> dict[str, Any]:
        kind = self._shared("kind", lambda: self.fields.choice("kind", ("single", "multiple")))
        required = self._shared("required", lambda: self.fields.flag("required"))
        options = []
        for entry, twin in self._paired("options"):
            option = {
                "key": twin["key"] if twin else entry.slug("key"),
                "text": entry.text("text"),
                "correct": twin["correct"] if twin else entry.flag("correct"),
                "feedback": entry.text("feedback"),
            }
            entry.close()
            options.append(option)
        right = sum(1 for option in options if option["correct"])
        if right == 0 or (kind == "single" and right != 1) or len(options) < 2:
            raise self.fields.refuse("options", _("mark one option as correct, of two or more."))
        if len({option["key"] for option in options}) < len(options):
            raise self.fields.refuse("options", _("two options have the same key."))
        return {
            "prompt": self.fields.text("prompt"),
            "kind": kind,
            "required": required,
            "options": self._items(options, "options"),
        }

    def make_worksheet(self) -> dict[str, Any]:
        fields = []
        for entry, twin in self._paired("fields"):
            field = {
                "key": twin["key"] if twin else entry.slug("key"),
                "label": entry.text("label"),
                "help": entry.text("help", required=False),
                "rows": twin["rows"] if twin else entry.whole("rows", default=3, least=1, most=10),
            }
            entry.close()
            fields.append(field)
        if len({field["key"] for field in fields}) < len(fields):
            raise self.fields.refuse("fields", _("two fields have the same key."))
        return {
            "title": self.fields.text("title"),
            "intro": self.fields.text("intro", required=False),
            "fields": self._items(fields, "fields"),
        }
