"""What a lesson weighs on the line, as the server of `make run` sends it, measured in Chromium.

A first visit stays within 100 kB over 12 requests, the next lesson within 20 kB over 3; pictures apart, of which the
starting content has none.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings

from cms.demo.views import find_places
from config.serve import describe_server
from lms.models import Enrolment
from modules.selectors import outline_of
from tests.faults.site import find_free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]
PICTURES = {"image/png", "image/jpeg", "image/webp", "image/gif"}


@dataclass
class Load:
    """What came over the line: (address, bytes with head and body, kind)."""

    came: list[tuple[str, int, str]] = field(default_factory=list)

    @property
    def without_pictures(self) -> list[tuple[str, int, str]]:
        return [one for one in self.came if one[2] not in PICTURES]

    @property
    def bytes(self) -> int:
        return sum(size for _url, size, _kind in self.without_pictures)


@pytest.fixture
def served(seeded_site: None, tmp_path: Path) -> Iterator[str]:
    """The seeded site by the production server, static files packed; its address."""
    port = find_free_port()
    told = settings.DATABASES["default"]
    environ = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "DEMO": "1",
        "DATA_DIR": str(tmp_path),
        "PORT": str(port),
        "LOG_LEVEL": "ERROR",
        "SECRET_KEY": settings.SECRET_KEY,
        "CERTIFICATE_SEALING_KEYS": "A" * 43,
        "DATABASE_URL": f"postgresql://{told['USER']}@/{told['NAME']}?host={quote(str(told['HOST']), safe='')}",
    }
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
        cwd=ROOT,
        env=environ,
        check=True,
    )
    command = describe_server(settings, host="127.0.0.1")
    command[command.index(str(settings.PORT))] = str(port)
    # What is measured is weight, for which one process does.
    command[command.index("--workers") + 1] = "1"
    with subprocess.Popen(command, cwd=ROOT, env=environ) as server:
        try:
            wait_for("The start of the server", lambda: _answers(port))
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _answers(port: int) -> bool:
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
        return bool(answer.status == 200)


def listen(page: Any) -> Load:
    """Note everything that comes over the line from now on; what the browser still has is not noted."""
    load = Load()
    known: dict[str, tuple[str, str]] = {}
    kept: set[str] = set()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on(
        "Network.responseReceived",
        lambda told: known.update(
            {told["requestId"]: (told["response"]["url"], told["response"]["mimeType"])}
        ),
    )
    session.on("Network.requestServedFromCache", lambda told: kept.add(told["requestId"]))

    def note(told: dict[str, Any]) -> None:
        url, kind = known.get(told["requestId"], ("", ""))
        if url.startswith("http") and told["requestId"] not in kept and told["encodedDataLength"]:
            load.came.append((url, int(told["encodedDataLength"]), kind))

    session.on("Network.loadingFinished", note)
    return load


def sign_in(browser: Any, served: str) -> Any:
    """The cookies of the demo's learner, got by another window, so that the measured one has kept nothing."""
    context = browser.new_context(base_url=served)
    page = context.new_page()
    page.goto("/demo/")
    page.locator("form:has([name=role][value=learner]) button").first.click()
    page.wait_for_url(lambda url: "/demo/" not in url)
    cookies = context.cookies()
    context.close()
    return cookies


def find_other_lesson(lesson: str) -> str:
    """The first lesson of the course, which the learner has completed."""
    course, _slug = lesson.rstrip("/").rsplit("/", 1)
    enrolment = Enrolment.objects.select_related("edition").get(pk=course.rsplit("/", 1)[1])
    first = next(step for step in outline_of(enrolment.edition).iter_steps() if step.is_lesson)
    return f"{course}/{first.slug}/"


def test_a_lesson_is_light(browser: Any, served: str) -> None:
    """In both languages, by one server: packing the static files and starting it is most of the test's time."""
    for language in ("en", "fr"):
        weigh(browser, served, language)


def weigh(browser: Any, served: str, language: str) -> None:
    lesson = find_places()["lesson"].replace("/en/", f"/{language}/", 1)
    context = browser.new_context(base_url=served, viewport={"width": 1280, "height": 900})
    context.add_cookies(sign_in(browser, served))
    page = context.new_page()
    page.set_default_timeout(60_000)

    first = listen(page)
    page.goto(lesson, wait_until="networkidle")
    assert page.locator("article h1").count() == 1
    assert first.bytes <= 100_000, first.came
    assert 2 <= len(first.without_pictures) <= 12, first.came

    following = listen(page)
    page.goto(find_other_lesson(lesson), wait_until="networkidle")
    assert page.locator("article h1").count() == 1
    assert following.bytes <= 20_000, following.came
    assert 1 <= len(following.without_pictures) <= 3, following.came
    print(
        f"{language}: {first.bytes} bytes over {len(first.came)}, then {following.bytes} over {len(following.came)}"
    )
    context.close()
