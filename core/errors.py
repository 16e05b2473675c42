"""What went wrong, for a person and for a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# So many uses of a thing are named in a message; more would hide what to do.
MOST_USES_SAID: Final = 5


class DomainError(Exception):
    """A service refuses: the sentence says what happened, what was kept and what to do.

    `code` is stable and for programs; `errors` names fields where the refusal is about some.
    Subclasses set `code` and the HTTP `status` that an API answers with.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409

    def __init__(self, message: Any, *, errors: Mapping[str, Sequence[Any]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.errors: dict[str, list[str]] = {
            name: [str(text) for text in texts] for name, texts in (errors or {}).items()
        }

    def __str__(self) -> str:
        return str(self.message)


class NotAllowed(DomainError):
    """The person is known but may not do this."""

    code = "not_allowed"
    status = 403


class NotFound(DomainError):
    """There is no such thing, or none that this person may know of."""

    code = "not_found"
    status = 404


class StillUsed(DomainError):
    """Something is not deleted, because something else uses it; `uses` are sentences, `advice` says what to do."""

    code = "in_use"

    def __init__(self, uses: Sequence[str], *, advice: str = "") -> None:
        said = [_("Nothing was deleted."), *uses[:MOST_USES_SAID]]
        more = len(uses) - MOST_USES_SAID
        if more > 0:
            said.append(
                ngettext("There is %(count)d more use.", "There are %(count)d more uses.", more)
                % {"count": more}
            )
        super().__init__(" ".join([*said, *([advice] if advice else [])]), errors={"object": uses})
        self.uses = list(uses)


class InvalidInput(DomainError):
    """What was sent cannot be used as it is."""

    code = "invalid"
    status = 400


class TooMany(DomainError):
    """It was asked too often; `retry_after` are seconds."""

    code = "too_many_requests"
    status = 429

    def __init__(self, message: Any, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NoRoom(DomainError):
    """A file cannot be kept, because the disk takes no more."""

    code = "no_room"
    status = 507


def say_no_room() -> str:
    """What a person is told then."""
    return _(
        "There is no room for files just now, so the file was not kept. Nothing that was saved before is lost. The "
        "people who run the site are told; try again later."
    )


def describe_error(
    *, code: str, message: Any, errors: Mapping[str, Sequence[Any]] | None = None
) -> dict[str, Any]:
    """The one shape of an error in the API: ``{"code", "message", "errors"}``."""
    return {
        "code": code,
        "message": str(message),
        "errors": {name: [str(text) for text in texts] for name, texts in (errors or {}).items()},
    }
