"""What a pack says about itself: that it is starting content, and who has read it."""

from __future__ import annotations

from collections.abc import Mapping

from modules.pack_fields import LANGUAGES
from modules.packcheck.findings import Findings
from standards.packs_loader import PackError, read_yaml


def check_papers(findings: Findings) -> None:
    """The note that this is starting content, and the page that says who has read it."""
    review = findings.path / "REVIEW.md"
    if not review.is_file() or not review.read_text(encoding="utf-8").strip():
        findings.add(
            "REVIEW.md", "it is missing; say there who has read the pack, for what, and who has not."
        )
    try:
        about = read_yaml(findings.path / "pack.yaml")
    except PackError:
        return
    note = about.get("note") if isinstance(about, Mapping) else None
    if not isinstance(note, Mapping) or not all(note.get(language) for language in LANGUAGES):
        findings.add("pack.yaml", "“note” is missing; say in both languages that this is starting content.")
