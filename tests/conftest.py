"""What all tests share: the database, the browser, and tools that a machine may lack."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase
from django.utils import translation
from hypothesis import settings as hypothesis_settings

from accounts import mail
from cms import identity
from core import ratelimit
from core.collector import spare_the_collector
from core.messages import compile_catalogue
from tests import database

# The people whom the tests of every floor share.
pytest_plugins = ["tests.cast"]

CI = os.environ.get("CI", "") not in {"", "0", "false"}

# How many examples a property is tried with; `make soak` tries ten times as many.
EXAMPLES = int(os.environ.get("EXAMPLES") or 50)
# A busy machine must not turn a slow example into a failed test.
hypothesis_settings.register_profile("project", deadline=None, print_blob=True, max_examples=EXAMPLES)
hypothesis_settings.load_profile("project")

# A tool, the programs that provide it, and how to get it. Chromium’s shell has the same engine and no windows, of which
# Chromium draws a whole one for each page: two fifths of its time.
TOOLS = {
    "chromium": (
        (
            "chromium-headless-shell",
            "chrome-headless-shell",
            "chromium",
            "chromium-browser",
            "google-chrome",
        ),
        "apt-get install chromium-headless-shell (or chromium)",
    ),
    "pdfsig": (("pdfsig",), "apt-get install poppler-utils"),
    "pdftotext": (("pdftotext",), "apt-get install poppler-utils"),
    "pdftoppm": (("pdftoppm",), "apt-get install poppler-utils"),
    "qpdf": (("qpdf",), "apt-get install qpdf"),
    "xgettext": (("xgettext",), "apt-get install gettext"),
}


def find_tool(name: str) -> str | None:
    """The program that provides the tool, or None."""
    for program in TOOLS[name][0]:
        path = shutil.which(program)
        if path:
            return path
    return None


def require_tool(name: str) -> str:
    """The tool's program, or a skipped test that says how to install it."""
    path = find_tool(name)
    if path is None:
        pytest.skip(
            f"This test needs {name}, which is not on this machine. Install it with: {TOOLS[name][1]}"
        )
    return path


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(tool, …): programs without which the test is skipped")
    config.addinivalue_line("markers", "browser: walks the site in Chromium")
    config.addinivalue_line("markers", "long: takes minutes; run by `make soak`")
    if settings.EMBEDDED_POSTGRES is not None:
        settings.EMBEDDED_POSTGRES.acquire()
    if not hasattr(config, "workerinput"):
        compile_catalogue(Path(settings.LOCALE_PATHS[0]))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was read to begin with stays to the end, so the collector of garbage need not look at it again and again."""
    spare_the_collector()


def pytest_unconfigure(config: pytest.Config) -> None:
    if settings.EMBEDDED_POSTGRES is not None:
        settings.EMBEDDED_POSTGRES.release()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name what needs a browser, and put the files in the order that keeps every process busy to the end.

    First the floors below and the tests of all addresses, while the seeded site is still being made; then what needs
    it, the longest files first; the many short ones of the rest fill up the end.
    """
    seeded: set[Path] = set()
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if names & {"browser", "page", "phone_page", "make_page"}:
            item.add_marker(pytest.mark.browser)
        if "seeded_template" in names:
            seeded.add(item.path)

    def turn(item: pytest.Item) -> int:
        if item.path in seeded:
            return 1 if "main_job" in item.path.name else 2
        return 0 if item.path.parent.name in {"accounts", "core", "config"} else 3

    items.sort(key=turn)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for tool in marker.args:
            require_tool(tool)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """With CI=1 a skipped test is a failed one: there, every tool is to be installed."""
    report = yield
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{reason}\n(With CI=1 nothing may be skipped.)"
    return report


_following: dict[str, pytest.Item | None] = {}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    _following["item"] = nextitem


# --- The database -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """A copy of the migrated template for this process."""
    ordinary = settings.DATABASES["default"]["NAME"]
    with django_db_blocker.unblock():
        template = database.build_template()
        database.use_copy(template)

    def restore(self: TransactionTestCase) -> None:
        # A test that begins with the seeded site puts that in the place of whatever is there.
        if "seeded_site" in getattr(_following.get("item"), "fixturenames", ()):
            return
        database.use_copy(template)

    flush = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = restore  # type: ignore[method-assign]
    yield
    TransactionTestCase._fixture_teardown = flush  # type: ignore[method-assign]
    with django_db_blocker.unblock():
        database.point_to(ordinary)
        database.drop_copies()


@pytest.fixture(scope="session")
def seeded_template(django_db_setup: None, django_db_blocker: Any) -> str:
    """The template of a site with its first pages, the content packs and the demo."""
    with django_db_blocker.unblock():
        name = database.build_seeded_template(template=database.build_template())
        database.copy_seeded_files(name)
    return name


@pytest.fixture
def seeded_site(transactional_db: None, seeded_template: str) -> None:
    """The test sees its own copy of the seeded site, and may change it."""
    database.use_copy(seeded_template)
    cache.clear()


@pytest.fixture
def as_app_role(db: None) -> Iterator[None]:
    """The test's statements run with the rights of the serving application."""
    role = settings.DATABASE_APP_ROLE
    if role is None:
        pytest.skip("This server was given without a role of its own for the application.")
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {connection.ops.quote_name(role)}")
    yield
    if not connection.needs_rollback:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")


@pytest.fixture(scope="session", autouse=True)
def _frame_of_the_day() -> None:
    """What stands around every page is read again after half a minute: never in the midst of counting queries."""
    identity.KEPT_SECONDS = 3600.0  # type: ignore[misc]


@pytest.fixture(autouse=True)
def _clean_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No cached value, no language and no mail server that was away goes from one test to the next.

    Nor does a period in which something may be asked so often end in the midst of a test.
    """
    cache.clear()
    mail._away["until"] = 0.0
    began = ratelimit.seconds_now()
    monkeypatch.setattr(ratelimit, "seconds_now", lambda: began)
    with translation.override("en"):
        yield


# --- The browser ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium of the machine, or its shell, driven by Playwright."""
    program = require_tool("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # As root Chromium has no sandbox; it opens the pages of this site only.
        chromium = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


def _pass_dialog(dialog: Any, complaints: list[str]) -> None:
    complaints.append(f"The browser asked: {dialog.type} {dialog.message}")
    dialog.accept()


@pytest.fixture
def make_page(browser: Any, live_server: Any) -> Iterator[Callable[..., Any]]:
    """Makes pages of separate persons: ``make_page(width=390, height=844, locale="fr-CA", java_script_enabled=False)``.

    A page error, an error on the console (a refused inline script is one), a question of the browser ("Leave this
    page?") or a request to another host fails the test.
    Nothing moves by itself, as for people who ask for that: frames that are drawn only to move are time lost.
    Where an error status is what the test is about, call ``make_page(expect_errors=True)``.
    """
    contexts: list[Any] = []
    complaints: list[str] = []

    def make(
        *,
        width: int = 1280,
        height: int = 900,
        locale: str = "en-CA",
        expect_errors: bool = False,
        **options: Any,
    ) -> Any:
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            locale=locale,
            **{"reduced_motion": "reduce", **options},
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("dialog", lambda dialog: _pass_dialog(dialog, complaints))
        if not expect_errors:
            page.on(
                "console",
                lambda message: (
                    complaints.append(f"{page.url}: {message.text} {message.location.get('url', '')}")
                    if message.type == "error"
                    else None
                ),
            )
        page.on(
            "request",
            lambda request: (
                complaints.append(f"{page.url} asked for {request.url}")
                if not request.url.startswith((live_server.url, "data:", "blob:", "about:"))
                else None
            ),
        )
        return page

    yield make
    for context in contexts:
        context.close()
    assert not complaints, "The browser complained:\n" + "\n".join(complaints)


@pytest.fixture
def page(make_page: Callable[..., Any]) -> Any:
    """A desktop page in English."""
    return make_page()


@pytest.fixture
def phone_page(make_page: Callable[..., Any]) -> Any:
    """A page of a phone."""
    return make_page(width=390, height=844, has_touch=True, is_mobile=True)
