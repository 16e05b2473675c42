"""What the desk's entries in the audit log mean, in words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

WORDS = {
    "learner.opened": _("An instructor opened a learner’s page"),
    "attempt.opened": _("An instructor opened a learner’s attempt"),
    "work.opened": _("An instructor opened a learner’s work"),
    "attempt.marked": _("A learner’s work was marked"),
    "attempt.returned": _("A learner’s work was returned for another try"),
    "enrolment.withdrawn": _("A learner was withdrawn"),
    "enrolment.reinstated": _("A learner was reinstated"),
    "enrolment.moved": _("A learner was moved to another edition"),
    "enrolment.extended": _("A learner’s last day was changed"),
    "accommodation.granted": _("More time or attempts were granted"),
    "offering.made": _("An offering was made"),
    "offering.changed": _("An offering was changed"),
    "offering.exported": _("Progress and marks of an offering were downloaded"),
    "offering.edition_taken_up": _("A newer edition was taken up for an offering"),
    "offering.rescheduled": _("The closing date of an offering was moved"),
}
