from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CertificatesConfig(AppConfig):
    name = "certificates"
    label = "certificates"
    verbose_name = _("Certificates")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.audit_words import name_actions
        from certificates import (
            receivers,
            vault,  # noqa: F401  (registers its check)
        )
        from certificates.jobs import register_jobs
        from certificates.panels import show_certificates
        from certificates.personal_data import answer
        from certificates.texts import AUDIT_WORDS, register_notices
        from certificates.uses import say_uses
        from core.extensions import home_panels, personal_data, used_by
        from lms.signals import course_completed

        course_completed.connect(
            receivers.hear_course_completed, dispatch_uid="certificates.course_completed"
        )
        home_panels.register(show_certificates)
        personal_data.register(answer)
        used_by.register(say_uses)
        register_notices()
        register_jobs()
        name_actions(AUDIT_WORDS)
