"""News sent up from the course engine, inside the transaction of the fact."""

from django.dispatch import Signal

# Arguments: enrolment. Every required step has its completion record.
course_completed = Signal()
# Arguments: subject_id, kind, source. Evidence of that kind from that source is in the ledger.
evidence_recorded = Signal()
