"""News of this floor, sent inside the transaction of the service that announces it."""

from django.dispatch import Signal

# edition: the CourseEdition that was issued.
course_edition_issued = Signal()
