"""A start that would be unsafe is refused with a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READ = """
import json
from django.conf import settings
print(json.dumps({name: getattr(settings, name) for name in __import__("sys").argv[1:]}, default=str))
"""
SAFE = {
    "SECRET_KEY": "x" * 60,
    "ALLOWED_HOSTS": "learn.example.ca",
    "PUBLIC_ORIGIN": "https://learn.example.ca",
}


def start(environ: dict[str, str], *names: str) -> subprocess.CompletedProcess[str]:
    """Read settings in a clean process with only these variables."""
    return subprocess.run(
        [sys.executable, "-c", READ, *names],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def read(environ: dict[str, str], *names: str) -> dict[str, object]:
    result = start(environ, *names)
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ALLOWED_HOSTS": ""}, "Set ALLOWED_HOSTS to the host names this site answers to"),
        ({"SECRET_KEY": ""}, "Set the environment variable SECRET_KEY"),
        ({"PUBLIC_ORIGIN": ""}, "Set the environment variable PUBLIC_ORIGIN"),
        ({"PUBLIC_ORIGIN": "http://learn.example.ca"}, "PUBLIC_ORIGIN must begin with https://"),
        ({"PUBLIC_ORIGIN": "learn.example.ca"}, "PUBLIC_ORIGIN must be a scheme and a host"),
        ({"PUBLIC_ORIGIN": "https://learn.example.ca/path"}, "PUBLIC_ORIGIN must be a scheme and a host"),
        ({"DEMO": "1"}, "DEMO=1 makes accounts whose password everybody knows"),
        ({"DEMO": "perhaps"}, "DEMO must be 1 or 0"),
        ({"DATABASE_ROLE": "root"}, "DATABASE_ROLE must be app or owner"),
        ({"DATABASE_URL": "mysql://db/safer"}, "DATABASE_URL must begin with postgresql://"),
        ({"DATABASE_URL": "postgresql://db"}, "DATABASE_URL must name a database"),
        ({"CACHE_URL": "memcached://cache"}, "CACHE_URL must begin with redis://"),
        ({"EMAIL_PORT": "smtp"}, "EMAIL_PORT must be a whole number"),
        ({"SECURITY_CONTACT": "security@example.ca"}, "SECURITY_CONTACT must begin with mailto:"),
        ({"TRUSTED_PROXY_COUNT": "-1"}, "TRUSTED_PROXY_COUNT must be 0 or more"),
    ],
)
def test_an_unsafe_start_is_refused(changes: dict[str, str], sentence: str, tmp_path: Path) -> None:
    result = start({**SAFE, "DATA_DIR": str(tmp_path), **changes}, "DEBUG")
    assert result.returncode != 0
    assert sentence in result.stderr


def test_a_start_in_service_is_safe_by_default(tmp_path: Path) -> None:
    found = read(
        {**SAFE, "DATA_DIR": str(tmp_path)},
        "DEBUG",
        "DEMO",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_SSL_REDIRECT",
        "SECURE_HSTS_SECONDS",
        "DATABASE_ROLE",
        "EMAIL_BACKEND",
    )
    assert found == {
        "DEBUG": False,
        "DEMO": False,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 365 * 24 * 3600,
        "DATABASE_ROLE": "app",
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    }


def test_a_demo_on_ones_own_machine_needs_nothing(tmp_path: Path) -> None:
    environ = {"DEMO": "1", "DATA_DIR": str(tmp_path)}
    found = read(environ, "SECRET_KEY", "ALLOWED_HOSTS", "PUBLIC_ORIGIN", "SESSION_COOKIE_SECURE")
    assert found["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert found["PUBLIC_ORIGIN"] == "http://127.0.0.1:8000"
    assert found["SESSION_COOKIE_SECURE"] is False
    key_file = tmp_path / "secret_key"
    assert key_file.stat().st_mode & 0o077 == 0
    assert read(environ, "SECRET_KEY")["SECRET_KEY"] == found["SECRET_KEY"] == key_file.read_text()


def test_a_secret_can_be_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("y" * 60 + "\n")
    environ = {**SAFE, "DATA_DIR": str(tmp_path), "SECRET_KEY_FILE": str(secret)}
    del environ["SECRET_KEY"]
    assert read(environ, "SECRET_KEY")["SECRET_KEY"] == "y" * 60
    result = start({**environ, "SECRET_KEY_FILE": str(tmp_path / "none")}, "SECRET_KEY")
    assert "SECRET_KEY_FILE names" in result.stderr


@pytest.mark.parametrize(("role", "user"), [("app", "app"), ("owner", "owner")])
def test_a_given_database_has_two_roles(role: str, user: str, tmp_path: Path) -> None:
    environ = {
        **SAFE,
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": "postgresql://app:p%40ss@db.example.ca:5433/safer?sslmode=require",
        "DATABASE_OWNER_URL": "postgresql://owner:secret@db.example.ca:5433/safer?sslmode=require",
        "DATABASE_ROLE": role,
    }
    found = read(environ, "DATABASES", "DATABASE_APP_ROLE", "EMBEDDED_POSTGRES")
    database = found["DATABASES"]["default"]  # type: ignore[index]
    assert database["USER"] == user
    assert database["PORT"] == "5433"
    assert database["OPTIONS"]["sslmode"] == "require"
    assert ("KEEP_CONNECTIONS" in database) is (role == "app")
    assert found["DATABASE_APP_ROLE"] == "app"
    assert found["EMBEDDED_POSTGRES"] is None


def test_the_policy_allows_no_inline_code_outside_the_cms() -> None:
    from django.conf import settings

    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    assert not any("unsafe" in str(source) for sources in policy.values() for source in sources)
