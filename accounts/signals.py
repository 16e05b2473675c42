"""News sent up from the floor of people."""

from django.dispatch import Signal

# Arguments: user, subject. An account was made.
person_registered = Signal()
# Arguments: user. A role was granted or ended.
role_changed = Signal()
# Arguments: subject_id. A person's data were erased.
person_erased = Signal()
