"""An offering's page as it is counted by reading everybody: what `lms.selectors.desk_board` must say to the person."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from assessments.models import Attempt
from core import clock
from core.text import fold_text
from lms.models import Enrolment, Offering, StepProgress
from lms.rules.roster import ANSWERS, DONE, MARKS, WORK
from lms.selectors.desk_board import EXPLAINED, Board, read_board
from lms.selectors.desk_roster import SHOWS, SORTS, RosterFilter, RosterRow, read_roster
from modules.selectors import outline_of


@dataclass
class Counted:
    total: int = 0
    withdrawn: int = 0
    complete: int = 0
    stuck: int = 0
    needy: int = 0
    places: Counter[str] = field(default_factory=Counter)
    stuck_places: Counter[str] = field(default_factory=Counter)


def count(rows: list[RosterRow]) -> Counted:
    found = Counted()
    for row in rows:
        if row.is_withdrawn:
            found.withdrawn += 1
            continue
        place = DONE if row.is_complete else row.last_step.hex if row.last_step else ""
        found.total += 1
        found.complete += row.is_complete
        found.stuck += row.is_stuck
        found.needy += row.needs_something
        found.places[place] += 1
        found.stuck_places[place] += row.is_stuck
    return found


def choose(wanted: RosterFilter, rows: list[RosterRow]) -> list[RosterRow]:
    def fits(row: RosterRow) -> bool:
        words = fold_text(wanted.words).split()
        if not all(word in fold_text(row.name) for word in words):
            return False
        if wanted.show == "withdrawn":
            return row.is_withdrawn
        return not row.is_withdrawn and (wanted.show != "needs" or row.needs_something)

    found = sorted(filter(fits, rows), key=lambda row: (row.sort_name, str(row.enrolment_id)))
    match wanted.sort:
        case "last":
            found.sort(key=lambda row: row.last_doing)
        case "steps":
            found.sort(key=lambda row: row.done / row.total if row.total else 0)
        case "needs":
            found.sort(key=lambda row: (not row.needs_something, row.waiting == 0, not row.is_stuck))
    return found


def read_all(offering: Offering, wanted: RosterFilter) -> list[RosterRow]:
    """The rows of every page."""
    board = read_board(offering, wanted)
    return [
        row
        for number in board.page.paginator.page_range
        for row in read_board(offering, wanted, page=number).rows
    ]


def assert_exact(offering: Offering, *, words: tuple[str, ...] = ("",)) -> Board:
    """The page says of everybody what reading everybody says at the same moment."""
    with clock.set_to(clock.now()):
        return _assert_exact(offering, words)


def _assert_exact(offering: Offering, words: tuple[str, ...]) -> Board:
    rows = list(read_roster(offering).rows)
    counted, board = count(rows), read_board(offering)
    tally = board.tally
    assert (tally.total, tally.withdrawn, tally.complete) == (
        counted.total,
        counted.withdrawn,
        counted.complete,
    )
    assert (tally.stuck, tally.needy) == (counted.stuck, counted.needy)
    assert {place: pair[0] for place, pair in tally.places.items()} == counted.places
    assert {place: pair[1] for place, pair in tally.places.items()} == dict(counted.stuck_places)
    stuck = [row for row in rows if not row.is_withdrawn and row.is_stuck]
    stuck.sort(key=lambda row: (not row.is_out, row.last_doing, row.sort_name, str(row.enrolment_id)))
    assert list(board.stuck_rows) == stuck[:EXPLAINED]
    for show in SHOWS:
        for sort in SORTS:
            for said in words:
                wanted = RosterFilter(show=show, sort=sort, words=said)
                expected = choose(wanted, rows)
                assert read_all(offering, wanted) == expected
                assert read_board(offering, wanted).found == len(expected)
    _assert_results(offering, board)
    return board


def _assert_results(offering: Offering, board: Board) -> None:
    quizzes = {step.key for step in outline_of(offering.edition).iter_steps() if step.kind == "quiz"}
    active = Enrolment.objects.filter(offering=offering, state="active")
    marks: Counter[tuple[str, Decimal, Decimal, bool]] = Counter()
    last = None
    for row in StepProgress.objects.filter(enrolment__in=active, step_key__in=quizzes, points__isnull=False):
        if row.max_points:
            marks[str(row.step_key), row.points, row.max_points, row.completed_at is not None] += 1
            last = max(last or row.last_at, row.last_at)
    told = {key.split("|")[0]: 0 for key in board.counts.get(MARKS, {})}
    found = {
        (step, Decimal(points), Decimal(of), passed == "1"): count
        for key, count in board.counts.get(MARKS, {}).items()
        for step, points, of, passed in [key.split("|")]
    }
    assert found == marks
    assert (board.last_quiz is None) == (not told)
    if board.last_quiz is not None:
        latest = StepProgress.objects.filter(enrolment__in=active, last_at=last).values_list(
            "step_key", flat=True
        )
        assert board.last_quiz in set(latest)
    work: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    oldest = None
    for attempt in Attempt.objects.filter(
        sitting__context__in=active.values("pk"), submitted_at__isnull=False
    ).select_related("sitting__edition"):
        edition = attempt.sitting.edition
        if edition.kind == "assignment":
            waits = attempt.points is None and attempt.passed is None
            work[f"{edition.pk}|total"] += 1
            work[f"{edition.pk}|waiting"] += waits
            if waits and attempt.submitted_at:
                oldest = min(oldest or attempt.submitted_at, attempt.submitted_at)
        elif attempt.number == 1:
            for item, score in ((attempt.score or {}).get("by_item") or {}).items():
                answers[f"{edition.pk}|{item}|{int(bool(score.get('right')))}"] += 1
    assert board.counts.get(WORK, {}) == {key: count for key, count in work.items() if count}
    assert board.counts.get(ANSWERS, {}) == answers
    assert board.oldest_work == oldest
