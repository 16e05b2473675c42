"""News sent up from the floor of assessments, inside the transaction of the fact."""

from django.dispatch import Signal

# Arguments: attempt, language.
attempt_started = Signal()
# Arguments: attempt, language, held (what whoever handed in holds locked, or None). Its score is set, or it waits for a
# marker.
attempt_submitted = Signal()
# Arguments: mark (with mark.attempt).
attempt_marked = Signal()
# Arguments: attempt. An open attempt ends at another moment than before, since its terms changed.
attempt_deadline_moved = Signal()
