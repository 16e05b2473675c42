from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StandardsConfig(AppConfig):
    name = "standards"
    label = "standards"
    verbose_name = _("Standards")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wagtail.signals import page_published

        from standards.jobs import register_jobs
        from standards.pages import CompetencyPage
        from standards.receivers import hear_of_published_competency

        page_published.connect(
            hear_of_published_competency, sender=CompetencyPage, dispatch_uid="standards.competency_published"
        )
        register_jobs()
