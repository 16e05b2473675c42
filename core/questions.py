"""Prepared queries that are asked together: what a page needs to know, in one round trip. See docs/adr/0113."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import models

from core.prepared import PreparedQuery
from core.prepared_writes import PreparedLock, Statement, fetch_all, require_transaction

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Question(Generic[M]):
    """A prepared query with what it is run with, to be asked together with others.

    With `columns`, names of the model's own or of what was annotated, the answer are tuples of their values instead
    of objects: for many rows of which little is needed.
    """

    query: PreparedQuery[M]
    given: Mapping[str, object]
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: PreparedQuery[M], **given: object) -> Question[M]:
        return cls(query, given)

    def read(self, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """The answer, from the rows as they came."""
        if self.columns:
            return list(map(self.query.picker(self.columns), rows))
        return [self.query.make(row) for row in rows]


def ask_together(*questions: Question[Any], after: Sequence[Statement] = ()) -> list[list[Any]]:
    """The objects that each query finds, all in one round trip; `after` are statements that are run before them.

    Each sees what was committed until it begins, as if it had been sent alone: what comes after one that waits for a
    lock sees what the other did who held it.
    """
    locks = any(isinstance(one.query, PreparedLock) for one in questions)
    if after or locks:
        require_transaction()
    plans = [one.query.plan() for one in questions]
    asked = [Statement(plan.sql, plan.fill(one.given)) for one, plan in zip(questions, plans, strict=True)]
    found = fetch_all([*after, *asked])[len(after) :]
    return [one.read(plan.convert(rows)) for one, plan, rows in zip(questions, plans, found, strict=True)]
