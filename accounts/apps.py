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
        from accounts.own_data import register_own_data
        from accounts.personal_data import answer
        from accounts.services.jobs import forget_old_jobs
        from accounts.signals import role_changed
        from accounts.suspended import seal_suspended_requests
        from accounts.tasks import hear_given_back, hear_given_up
        from core.extensions import chores, personal_data
        from core.tasks import task_given_back, task_given_up

        role_changed.connect(receivers.follow_roles, dispatch_uid="accounts.follow_roles")
        personal_data.register(answer)
        seal_suspended_requests()
        user_logged_in.connect(renewal.note_roles, dispatch_uid="accounts.note_roles")
        for signal in (authenticator_added, authenticator_removed):
            signal.connect(renewal.renew_for_factor, dispatch_uid="accounts.renew_for_factor")
        task_given_back.connect(hear_given_back, dispatch_uid="accounts.hear_given_back")
        task_given_up.connect(hear_given_up, dispatch_uid="accounts.hear_given_up")
        chores.register(forget_old_jobs)
        register_own_data()
