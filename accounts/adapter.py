"""How django-allauth works here: in the person's language, telling strangers nothing, with secrets encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, cast

import segno
from allauth.account import app_settings as account_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.core import context as current
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.mail import compose_mail, describe_site, send_or_log
from accounts.middleware import GOAL
from accounts.models import User
from accounts.permissions import is_staff_person, lacks_second_factor
from accounts.sealing import make_cipher
from core import clock
from core.languages import reading_language
from core.text import make_sort_key

# What happened to an account, said to its owner at once: subject and sentence.
NOTIFICATIONS: Final[Mapping[str, tuple[Any, Any]]] = {
    "account/email/email_changed": (
        gettext_lazy("Your e-mail address was changed"),
        gettext_lazy("The e-mail address of your account was changed from %(from_email)s to %(to_email)s."),
    ),
    "account/email/email_confirm": (
        gettext_lazy("Your e-mail address is confirmed"),
        gettext_lazy("The e-mail address of your account is now confirmed."),
    ),
    "account/email/email_deleted": (
        gettext_lazy("An e-mail address was removed"),
        gettext_lazy("The e-mail address %(deleted_email)s was removed from your account."),
    ),
    "account/email/password_changed": (
        gettext_lazy("Your password was changed"),
        gettext_lazy("The password of your account was changed."),
    ),
    "account/email/password_reset": (
        gettext_lazy("Your password was changed"),
        gettext_lazy("A new password was set for your account by the link that we sent you."),
    ),
    "account/email/password_set": (
        gettext_lazy("Your password was set"),
        gettext_lazy("A password was set for your account."),
    ),
    "mfa/email/totp_activated": (
        gettext_lazy("Two-step sign-in is on"),
        gettext_lazy(
            "An authenticator app was added to your account. You are asked for its code when you sign in."
        ),
    ),
    "mfa/email/totp_deactivated": (
        gettext_lazy("Two-step sign-in is off"),
        gettext_lazy(
            "The authenticator app was removed from your account. Your password alone signs you in now."
        ),
    ),
    "mfa/email/recovery_codes_generated": (
        gettext_lazy("You have new recovery codes"),
        gettext_lazy("New recovery codes were made for your account. Any earlier ones no longer work."),
    ),
}

# allauth's mails that are no notifications, and the templates here.
LETTERS: Final[Mapping[str, str]] = {
    "account/email/account_already_exists": "account/already_exists",
    "account/email/unknown_account": "account/unknown",
    "account/email/email_confirmation": "account/confirm_address",
    "account/email/email_confirmation_signup": "account/welcome",
    "account/email/password_reset_key": "account/reset_password",
}


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up, sign-in and the mails about them."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": gettext_lazy("This account is closed for now."),
        "email_password_mismatch": gettext_lazy(
            "This e-mail address and this password do not belong together. Check both, or set a new password."
        ),
        "duplicate_email": gettext_lazy("This is the e-mail address of your account already."),
        "email_taken": gettext_lazy("There is already an account with this e-mail address."),
        "enter_current_password": gettext_lazy("This is not your current password. Type it again."),
        "incorrect_code": gettext_lazy("This code is not right. Type the one that the app shows now."),
        "incorrect_password": gettext_lazy("This is not your password. Type it again."),
        "invalid_password_reset": gettext_lazy("This link to set a password is no longer good."),
        "too_many_login_attempts": gettext_lazy(
            "There were too many tries with this address. Wait five minutes, or set a new password."
        ),
        "rate_limited": gettext_lazy("That was asked too often. Wait a minute and try again."),
        "same_as_current": gettext_lazy("This is the e-mail address of your account already."),
    }

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        data = form.cleaned_data
        user.email = data["email"]
        user.name = data["name"]
        user.sort_name = make_sort_key(user.name)
        user.preferred_language = data["preferred_language"]
        user.time_zone = data["time_zone"]
        user.set_password(data["password1"])
        if commit:
            user.save()
        return user

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Also refuses an address that another account has, though unconfirmed: each account has its own."""
        if User.objects.filter(email=email_address.email).exclude(pk=email_address.user_id).exists():
            self.add_message(
                request,
                messages.ERROR,
                "account/messages/email_confirmation_failed.txt",
                {"email": email_address.email},
            )
            return False
        return bool(super().confirm_email(request, email_address))

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """A sign-in of the last five minutes is as good as asking again."""
        request = current.request
        records = get_authentication_records(request, request.user)
        age = clock.now().timestamp() - records[-1]["at"] if records else None
        if age is not None and age < account_settings.REAUTHENTICATION_TIMEOUT:
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    # Where people go -------------------------------------------------------------------------------------------

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """The person's home, in their language; staff without a second factor first set one up."""
        user = cast(User, request.user)
        with translation.override(user.preferred_language):
            if settings.STAFF_SECOND_FACTOR and lacks_second_factor(user):
                request.session[GOAL] = find_home()
                return reverse("mfa_activate_totp")
            return find_home()

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        return f"/{translation.get_language()}/"

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        remember_language(response, language=user.preferred_language)
        return response

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Says nothing of a sign-in: the page after it shows who one is."""
        if message_template != "account/messages/logged_in.txt":
            super().add_message(request, level, message_template, *args, **kwargs)

    # Mails -----------------------------------------------------------------------------------------------------

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send at once, so that no link that opens an account waits in the queue's table."""
        request = current.request
        user = context.get("user") or User.objects.filter(email=email).first()
        language = user.preferred_language if user else translation.get_language()
        letter = {key: value for key, value in context.items() if key != "request"}
        letter |= {"user": user, "email": email}
        if template_prefix in NOTIFICATIONS:
            headline, sentence = NOTIFICATIONS[template_prefix]
            with translation.override(language):
                letter |= {"headline": str(headline), "sentence": str(sentence) % context}
            template = "account/notification"
        else:
            template = LETTERS[template_prefix]
        message = compose_mail(
            to=email,
            template=template,
            context=letter,
            language=language,
            time_zone=user.time_zone if user else None,
        )
        if not send_or_log(message) and request is not None:
            # In the language of the page, which need not be that of the mail.
            with translation.override(request.LANGUAGE_CODE):
                sentence = _(
                    "Our e-mail could not be sent just now. Nothing is lost; try again in a few minutes."
                )
            messages.error(request, sentence)

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        with translation.override(emailconfirmation.email_address.user.preferred_language):
            super().send_confirmation_mail(request, emailconfirmation, signup)

    def send_account_already_exists_mail(self, email: str) -> None:
        owner = User.objects.filter(email=email).first()
        with translation.override(owner.preferred_language if owner else translation.get_language()):
            super().send_account_already_exists_mail(email)

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        with translation.override(user.preferred_language):
            link = self.get_reset_password_from_key_url(f"{context['uid']}-{context['key']}")
            super().send_password_reset_mail(user, email, {**context, "password_reset_url": link})


class SecondFactorAdapter(DefaultMFAAdapter):
    """Two-step sign-in: its secrets are encrypted, its picture needs no script, and staff keep it."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy("This code is not right. Type the one that the app shows now."),
        "unverified_email": gettext_lazy("Confirm your e-mail address first; then turn on two-step sign-in."),
        "add_email_blocked": gettext_lazy("Turn off two-step sign-in before you add an e-mail address."),
        "cannot_delete_authenticator": gettext_lazy(
            "Your role asks for two-step sign-in, so it stays on. To move it to another phone, ask an administrator "
            "to reset it."
        ),
        "cannot_generate_recovery_codes": gettext_lazy(
            "Turn on two-step sign-in first; then make recovery codes."
        ),
    }

    def get_totp_issuer(self) -> str:
        return str(describe_site(reading_language())["site"]["short_name"])

    def build_totp_svg(self, url: str) -> str:
        """The QR code as SVG that may stand in the page: dark on white in every colour scheme, no inline style."""
        return str(
            segno.make(url, error="m").svg_inline(
                scale=5, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=False
            )
        )

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not (settings.STAFF_SECOND_FACTOR and is_staff_person(authenticator.user))

    def encrypt(self, text: str) -> str:
        return make_cipher(b"accounts.second_factor").encrypt(text.encode()).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        return make_cipher(b"accounts.second_factor").decrypt(encrypted_text.encode("ascii")).decode()


def find_home() -> str:
    """A signed-in person's own page, in the language in force."""
    try:
        return reverse("cms:my")
    except NoReverseMatch:
        return f"/{translation.get_language()}/"


def remember_language(response: HttpResponse, *, language: str) -> None:
    """Keep the language in the browser, so that the bare address of the site opens in it."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite="Lax",
    )
