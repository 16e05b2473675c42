from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "core"
    label = "core"
    verbose_name = _("Ground")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.conf import settings
        from django.core import checks
        from PIL import Image

        from core.extensions import chores
        from core.ledger import finish_migration
        from core.leftovers import DailyLook
        from core.replaced import replace_in_django
        from core.security_txt import warn_of_missing_address

        replace_in_django()
        chores.register(DailyLook())
        # Whoever opens a picture, we or Wagtail, is warned above this, and refused above twice as many pixels.
        Image.MAX_IMAGE_PIXELS = settings.WAGTAILIMAGES_MAX_IMAGE_PIXELS

        checks.register(warn_of_missing_address, checks.Tags.security)

        # Sent once an app, in the order of INSTALLED_APPS: after the last one all tables stand.
        last = list(apps.get_app_configs())[-1]
        post_migrate.connect(finish_migration, sender=last, dispatch_uid="core.finish_migration")
