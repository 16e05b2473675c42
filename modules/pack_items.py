"""Writes a pack's items and assessments as snippets, in each language under one key."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from wagtail.models import Collection, Locale

from assessments.models import Assessment, Item
from core.canonical import digest
from modules.loaded_values import describe_snippet
from modules.pack_fields import LANGUAGES, refuse
from modules.pack_reader import PackAssessment, PackItem, TrainingPack
from modules.tally import Tally


class SnippetLoader:
    """Loads items, then the assessments that are made of them."""

    def __init__(self, pack: TrainingPack, *, tally: Tally, competencies: Mapping[str, uuid.UUID]) -> None:
        self.pack, self.tally, self.competencies = pack, tally, competencies
        self.locales = {locale.language_code: locale for locale in Locale.objects.all()}
        self.collection = Collection.get_first_root_node()
        self.items: dict[tuple[str, str], Item] = {}
        self.assessments: dict[tuple[str, str], Assessment] = {}

    def load(self) -> None:
        found = self._find(Item, [item.id for item in self.pack.items.values()])
        for item in self.pack.items.values():
            for language in LANGUAGES:
                kept = found.get((item.id, language))
                self.items[item.key, language] = self._write(
                    Item, item.id, kept, language, self._item_values(item, language), label=item.key
                )
        found = self._find(Assessment, [assessment.id for assessment in self.pack.assessments.values()])
        for assessment in self.pack.assessments.values():
            for language in LANGUAGES:
                kept = found.get((assessment.id, language))
                self.assessments[assessment.key, language] = self._write(
                    Assessment,
                    assessment.id,
                    kept,
                    language,
                    self._assessment_values(assessment, language),
                    label=assessment.key,
                )

    def competency(self, code: str, place: str) -> uuid.UUID:
        """The permanent key of a competency by its code; refuses a code that the framework does not have."""
        if code not in self.competencies:
            raise refuse(place, f"{self.pack.framework}: {code}?")
        return self.competencies[code]

    def _find(self, model: Any, keys: list[uuid.UUID]) -> dict[tuple[uuid.UUID, str], Any]:
        rows = model.objects.filter(translation_key__in=keys).select_related("locale")
        return {(row.translation_key, row.locale.language_code): row for row in rows}

    def _write(
        self, model: Any, key: uuid.UUID, kept: Any, language: str, values: Mapping[str, Any], *, label: str
    ) -> Any:
        wanted = model(
            translation_key=key,
            locale=self.locales[language],
            collection=self.collection,
            **self._as_fields(values),
        )
        new = describe_snippet(wanted)
        if kept is None:
            self.tally.made += 1
            return self._save(wanted, new)
        if not self.tally.may_write(
            label=f"{label} ({language})",
            wanted=new,
            current=describe_snippet(kept),
            loaded=kept.loaded_digest,
        ):
            return kept
        for name, value in self._as_fields(values).items():
            setattr(kept, name, value)
        return self._save(kept, new)

    def _as_fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: json.dumps(value) if isinstance(value, list) else value for name, value in values.items()
        }

    def _save(self, snippet: Any, values: Mapping[str, Any]) -> Any:
        snippet.loaded_digest = digest(values)
        snippet.save()
        # Each text that stood here stays in the history.
        snippet.save_revision()
        return snippet

    def _blocks(self, key: uuid.UUID, name: str, kind: str, values: list[Any]) -> list[dict[str, Any]]:
        return [
            {"type": kind, "id": str(uuid.uuid5(key, f"{name}:{number}")), "value": value}
            for number, value in enumerate(values)
        ]

    def _item_values(self, item: PackItem, language: str) -> dict[str, Any]:
        code, level = item.competency
        options = [
            {
                "key": option["key"],
                "text": option["text"][language],
                "correct": option["correct"],
                "feedback": option["feedback"][language],
            }
            for option in item.options
        ]
        return {
            "key": item.key,
            "kind": item.kind,
            "stem": item.stem[language],
            "options": self._blocks(item.id, "options", "option", options),
            "partial": item.partial,
            "answer_true": item.answer_true,
            "answer": item.answer,
            "tolerance": item.tolerance,
            "unit": item.unit[language],
            "accept": self._blocks(item.id, f"accept:{language}", "answer", item.accept[language]),
            "feedback_right": item.feedback_right[language],
            "feedback_wrong": item.feedback_wrong[language],
            "general_feedback": item.general_feedback[language],
            "points": item.points,
            "competency_id": self.competency(code, f"items, {item.key}"),
            "level": level,
            "tags": " ".join(item.tags),
            "starting_content": self.pack.starting_content,
        }

    def _assessment_values(self, assessment: PackAssessment, language: str) -> dict[str, Any]:
        place = f"assessments, {assessment.key}"
        sections = []
        for number, section in enumerate(assessment.sections):
            if section.competency:
                self.competency(section.competency, place)
            chosen = [self.items[key, language].pk for key in section.items]
            sections.append(
                {
                    "title": section.title[language],
                    "items": self._blocks(assessment.id, f"section:{number}", "item", chosen),
                    "draw": section.draw,
                    "tag": section.tag,
                    "competency": section.competency,
                }
            )
        return {
            "key": assessment.key,
            "kind": assessment.kind,
            "title": assessment.title[language],
            "intro": assessment.intro[language],
            "minutes": assessment.minutes,
            "time_limit": assessment.time_limit,
            "pass_mark": assessment.pass_mark,
            "attempts": assessment.attempts,
            "feedback": assessment.feedback,
            "shuffle_items": assessment.shuffle_items,
            "shuffle_options": assessment.shuffle_options,
            "sections": self._blocks(assessment.id, "sections", "section", sections),
            "rubric": self._blocks(
                assessment.id, "rubric", "criterion", self._rubric(assessment, language, place)
            ),
            "allow_text": assessment.allow_text,
            "allow_files": assessment.allow_files,
            "max_files": assessment.max_files,
            "starting_content": self.pack.starting_content,
        }

    def _rubric(self, assessment: PackAssessment, language: str, place: str) -> list[dict[str, Any]]:
        criteria = []
        for criterion in assessment.rubric:
            code, level = criterion["competency"] or ("", "")
            if code:
                self.competency(code, place)
            levels = [
                {"points": str(one["points"]), "title": one["title"][language], "text": one["text"][language]}
                for one in criterion["levels"]
            ]
            criteria.append(
                {
                    "key": criterion["key"],
                    "title": criterion["title"][language],
                    "competency": code,
                    "level": level,
                    "levels": self._blocks(assessment.id, f"rubric:{criterion['key']}", "item", levels),
                }
            )
        return criteria
