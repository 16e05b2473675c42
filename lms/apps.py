from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LmsConfig(AppConfig):
    name = "lms"
    label = "lms"
    verbose_name = _("Learning")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from assessments.signals import attempt_marked, attempt_started, attempt_submitted
        from lms import receivers

        attempt_started.connect(receivers.hear_attempt_started, dispatch_uid="lms.attempt_started")
        attempt_submitted.connect(receivers.hear_attempt_submitted, dispatch_uid="lms.attempt_submitted")
        attempt_marked.connect(receivers.hear_attempt_marked, dispatch_uid="lms.attempt_marked")
