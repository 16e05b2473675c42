"""The forms of sign-up, sign-in and the account. Labels stand above the fields; none speaks through a placeholder."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account_forms
from allauth.account.adapter import get_adapter
from allauth.mfa.base import forms as factor_forms
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts import time_zones
from accounts.models import Consent, User
from accounts.names import LONGEST_NAME, clean_name
from accounts.services import announce_registration, give_consent
from core.models import Language

# The sentences to which people agree; each is kept with the consent, as the person read it.
PRIVACY_WORDING = _(
    "I have read the privacy notice and agree that my account and my learning records are kept as it says."
)
NOTICES_WORDING = _(
    "Send me notices by e-mail: marks and comments, dates of my courses, and certificates. I can turn this off at "
    "any time."
)
EMAIL = _("E-mail address")
PASSWORD = _("Password")
NEW_PASSWORD = _("New password")
AGAIN = _("The same password again")
PASSWORD_HELP = _(
    "At least 12 characters, such as four words that do not belong together. Not a common password, not digits "
    "alone, and unlike your name and address."
)
DIFFERENT = _("The two passwords differ. Type the same password twice.")


class PlainFields(forms.BaseForm):
    """Takes the placeholders off; a label does not vanish while one types."""

    labels: dict[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            if name in self.labels:
                field.label = self.labels[name]
            if name in {"email", "login"}:
                field.widget.attrs |= {"autocapitalize": "none", "spellcheck": "false"}
            if name == "password1":
                field.help_text = PASSWORD_HELP
            if name == "code":
                field.widget.attrs |= {
                    "inputmode": "numeric",
                    "autocapitalize": "none",
                    "spellcheck": "false",
                }


def _say_difference(form: forms.BaseForm) -> None:
    """allauth's own sentence about two passwords, in ours."""
    first, second = form.data.get("password1"), form.data.get("password2")
    if "password2" in form.errors and first and second and first != second:
        form.errors["password2"] = form.error_class([str(DIFFERENT)])


class LoginForm(PlainFields, account_forms.LoginForm):
    labels = {"login": EMAIL, "password": PASSWORD}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The link stands below the button instead, out of the way of the keyboard.
        self.fields["password"].help_text = ""
        self.fields["login"].widget.attrs["autocomplete"] = "username"


class SignupForm(PlainFields, account_forms.SignupForm):
    """Sign-up. An address that has an account gets the same answer on the screen, in the same time."""

    labels = {"email": EMAIL, "password1": PASSWORD, "password2": AGAIN}
    field_order = [
        "name",
        "email",
        "preferred_language",
        "time_zone",
        "password1",
        "password2",
        "privacy",
        "notices",
    ]

    name = forms.CharField(
        label=_("Your name"),
        help_text=_("As you write it yourself. You can give another form of it for a certificate."),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    preferred_language = forms.ChoiceField(
        label=_("Language of the site and of e-mails"),
        choices=[(Language.ENGLISH, "English"), (Language.FRENCH, "Français")],
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=time_zones.TIME_ZONES, initial=time_zones.DEFAULT
    )
    privacy = forms.BooleanField(
        label=PRIVACY_WORDING,
        error_messages={"required": _("Without your agreement we cannot keep an account for you.")},
    )
    notices = forms.BooleanField(label=NOTICES_WORDING, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["preferred_language"].initial = get_language()
        self.fields["email"].help_text = _("We send a link there to confirm that it is yours.")

    def clean_name(self) -> str:
        return clean_name(self.cleaned_data["name"])

    def clean(self) -> dict[str, Any] | None:
        cleaned: dict[str, Any] | None = super().clean()
        _say_difference(self)
        return cleaned

    def try_save(self, request: HttpRequest) -> Any:
        if self.account_already_exists:
            # As long as it takes to make an account.
            make_password(self.cleaned_data["password1"])
        with transaction.atomic():
            return super().try_save(request)

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth once the account stands, in the same transaction."""
        subject = announce_registration(user=user)
        give_consent(
            subject=subject,
            purpose=Consent.Purpose.PRIVACY_NOTICE,
            wording=str(PRIVACY_WORDING),
            language=get_language(),
        )
        if self.cleaned_data["notices"]:
            give_consent(
                subject=subject,
                purpose=Consent.Purpose.NOTICES_BY_EMAIL,
                wording=str(NOTICES_WORDING),
                language=get_language(),
            )


class AddEmailForm(PlainFields, account_forms.AddEmailForm):
    labels = {"email": _("New e-mail address")}


class ChangePasswordForm(PlainFields, account_forms.ChangePasswordForm):
    labels = {"oldpassword": _("Current password"), "password1": NEW_PASSWORD, "password2": AGAIN}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].help_text = ""

    def clean(self) -> dict[str, Any] | None:
        cleaned: dict[str, Any] | None = super().clean()
        _say_difference(self)
        return cleaned


class SetPasswordForm(PlainFields, account_forms.SetPasswordForm):
    labels = {"password1": NEW_PASSWORD, "password2": AGAIN}

    def clean(self) -> dict[str, Any] | None:
        cleaned: dict[str, Any] | None = super().clean()
        _say_difference(self)
        return cleaned


class ResetPasswordForm(PlainFields, account_forms.ResetPasswordForm):
    labels = {"email": EMAIL}


class ResetPasswordKeyForm(PlainFields, account_forms.ResetPasswordKeyForm):
    labels = {"password1": NEW_PASSWORD, "password2": AGAIN}

    def clean(self) -> dict[str, Any] | None:
        cleaned: dict[str, Any] | None = super().clean()
        _say_difference(self)
        return cleaned


class ReauthenticateForm(PlainFields, account_forms.ReauthenticateForm):
    labels = {"password": PASSWORD}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""


class CodeForm(PlainFields, factor_forms.AuthenticateForm):
    labels = {"code": _("Code from the app, or a recovery code")}


class ConfirmCodeForm(PlainFields, factor_forms.ReauthenticateForm):
    labels = {"code": _("Code from the app, or a recovery code")}


class ActivateAppForm(PlainFields, ActivateTOTPForm):
    labels = {"code": _("Code that the app shows")}


class ProfileForm(forms.Form):
    """How a person is named and addressed, and whether they want notices by e-mail."""

    name = forms.CharField(
        label=_("Your name"),
        help_text=_(
            "As you write it yourself. Certificates that you have keep the name they were issued to."
        ),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    preferred_language = SignupForm.base_fields["preferred_language"]
    time_zone = forms.ChoiceField(label=_("Time zone"))
    notices = forms.BooleanField(label=NOTICES_WORDING, required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = time_zones.list_choices(user.time_zone)  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        return clean_name(self.cleaned_data["name"])


class EraseAccountForm(forms.Form):
    """The last question before an account is erased."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    understood = forms.BooleanField(
        label=_("I understand that this cannot be undone, and that my words and files are gone."),
        error_messages={"required": _("Tick this box to go on.")},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        # Counts the tries, as signing in does.
        if not get_adapter().reauthenticate(self.user, password):
            raise get_adapter().validation_error("incorrect_password")
        return password
