from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LmsConfig(AppConfig):
    name = "lms"
    label = "lms"
    verbose_name = _("Learning")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.audit_words import name_actions
        from assessments.signals import (
            attempt_deadline_moved,
            attempt_marked,
            attempt_started,
            attempt_submitted,
        )
        from core import extensions
        from lms import answers, answers_mail, panels, panels_desk, receivers, roster
        from lms.audit_words_desk import WORDS
        from lms.jobs import register_jobs
        from lms.personal_data import LearningPersonalData

        attempt_started.connect(receivers.hear_attempt_started, dispatch_uid="lms.attempt_started")
        attempt_submitted.connect(receivers.hear_attempt_submitted, dispatch_uid="lms.attempt_submitted")
        attempt_deadline_moved.connect(
            receivers.hear_attempt_deadline_moved, dispatch_uid="lms.attempt_deadline_moved"
        )
        attempt_marked.connect(receivers.hear_attempt_marked, dispatch_uid="lms.attempt_marked")

        for panel in (
            panels_desk.show_offerings,
            panels.show_next,
            panels.show_why,
            panels.show_competency_map,
        ):
            extensions.home_panels.register(panel)
        extensions.impact_reports.register(answers.report_impact)
        extensions.used_by.register(answers.tell_uses)
        extensions.access_grants.register(answers.grant_access)
        extensions.personal_data.register(LearningPersonalData())
        extensions.work_notes.register(answers_mail.note_unsent_mail)
        extensions.chores.register(roster.fold_backlogs)
        register_jobs()
        name_actions(WORDS)
