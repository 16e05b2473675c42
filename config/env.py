"""Typed readers of environment variables that fail loudly.

Every variable may also be given as a file: ``SECRET_KEY_FILE=/run/secrets/key`` is read where
``SECRET_KEY`` is not set, so that a secret need not stand in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS: Final = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS: Final = frozenset({"0", "false", "no", "off", ""})


def read_variable(name: str, *, environ: Mapping[str, str] | None = None) -> str | None:
    """The text of the variable, or of the file that ``<name>_FILE`` names, or None where neither is set."""
    source = os.environ if environ is None else environ
    if name in source:
        return source[name].strip()
    file_name = source.get(f"{name}_FILE", "").strip()
    if not file_name:
        return None
    try:
        return Path(file_name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE names {file_name}, which cannot be read: {error.strerror}."
        ) from error


def env_str(name: str, *, default: str | None = None) -> str:
    """A text; without a default the variable must be set and not empty."""
    value = read_variable(name)
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"Set the environment variable {name} (or {name}_FILE). It is required.")
    return default


def env_bool(name: str, *, default: bool = False) -> bool:
    """A yes or no; any other word is refused."""
    value = read_variable(name)
    if value is None:
        return default
    word = value.lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0 (or true or false), not “{value}”.")


def env_int(name: str, *, default: int, minimum: int | None = None, maximum: int | None = None) -> int:
    """A whole number within its bounds."""
    value = read_variable(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not “{value}”.") from error
    if minimum is not None and number < minimum:
        raise ImproperlyConfigured(f"{name} must be {minimum} or more, not {number}.")
    if maximum is not None and number > maximum:
        raise ImproperlyConfigured(f"{name} must be {maximum} or less, not {number}.")
    return number


def env_list(name: str, *, default: list[str] | None = None) -> list[str]:
    """Texts separated by commas; empty ones are dropped."""
    value = read_variable(name)
    if value is None:
        return list(default or [])
    return [part.strip() for part in value.split(",") if part.strip()]


def parse_database_url(url: str, *, name: str = "DATABASE_URL") -> dict[str, object]:
    """Django's connection settings for ``postgresql://user:password@host:port/database?sslmode=require``."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            f"{name} must begin with postgresql://, because PostgreSQL is the only engine supported."
        )
    database = unquote(parts.path.lstrip("/"))
    if not database:
        raise ImproperlyConfigured(
            f"{name} must name a database after the host, as in postgresql://host/name."
        )
    try:
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} has a port that is not a number.") from error
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(port or ""),
        "OPTIONS": options,
    }
