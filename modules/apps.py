from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ModulesConfig(AppConfig):
    name = "modules"
    label = "modules"
    verbose_name = _("Trainings")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from core.extensions import impact_reports, taught_in, used_by
        from modules import receivers
        from modules.answers import find_taught_places, name_uses, report_framework_impact
        from modules.jobs import register_jobs

        taught_in.register(find_taught_places)
        impact_reports.register(report_framework_impact)
        used_by.register(name_uses)
        receivers.connect()
        register_jobs()
