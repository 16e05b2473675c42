"""News sent up from the course engine, inside the transaction of the fact."""

from django.dispatch import Signal

# Arguments: enrolment. Every required step has its completion record.
course_completed = Signal()
# Arguments: evidence (a list of new `Evidence` rows of one subject).
evidence_recorded = Signal()
