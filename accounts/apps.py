from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    label = "accounts"
    verbose_name = _("People and organizations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from allauth.mfa.signals import authenticator_added, authenticator_removed
        from django.contrib.auth.signals import user_logged_in

        from accounts import receivers, renewal
        from accounts.personal_data import answer
        from accounts.signals import role_changed
        from accounts.suspended import seal_suspended_requests
        from core.extensions import personal_data

        role_changed.connect(receivers.follow_roles, dispatch_uid="accounts.follow_roles")
        personal_data.register(answer)
        seal_suspended_requests()
        user_logged_in.connect(renewal.note_roles, dispatch_uid="accounts.note_roles")
        for signal in (authenticator_added, authenticator_removed):
            signal.connect(renewal.renew_for_factor, dispatch_uid="accounts.renew_for_factor")
