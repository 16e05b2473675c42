"""News sent up from the floor of standards."""

from django.dispatch import Signal

# Arguments: edition. A new edition was issued; sent inside the transaction.
framework_edition_issued = Signal()
# Arguments: edition, before. An edition's status changed from `before`; sent inside the transaction.
framework_status_changed = Signal()
