from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CmsConfig(AppConfig):
    name = "cms"
    label = "cms"
    verbose_name = _("Site")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_delete, post_save

        from cms import receivers
        from cms.identity import forget_frame, site_identity
        from core.extensions import site_identity_answers

        site_identity_answers.register(site_identity)
        for signal in (post_save, post_delete):
            for sender in ("cms.SiteSettings", "cms.NavigationLink", "wagtailcore.Site"):
                signal.connect(forget_frame, sender=sender, dispatch_uid=f"cms.forget.{id(signal)}.{sender}")
        receivers.connect()
