"""What every answer of the site has in common: headers, tokens, redirects, and calm when nonsense is sent."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from tests.config.routes import World, list_routes
from tests.config.test_every_route import ADDRESSES, ROWS, ask, expect, is_of_the_cms

ROOT: Final = Path(settings.BASE_DIR)

# Where nobody is to be led.
ELSEWHERE: Final = (
    "https://evil.example/",
    "//evil.example/x",
    "/\\evil.example",
    "https:evil.example",
    "javascript:alert(1)",
)


def path_of(world: World, name: str) -> str:
    return world.path(ADDRESSES[name].pattern, ROWS[name][0])


# --- Headers ------------------------------------------------------------------------------------------------------


def check_headers(answer: Any, *, of_the_cms: bool) -> list[str]:
    """What is missing of the headers that every answer has."""
    headers = answer.headers
    wrong = []
    if headers.get("X-Content-Type-Options") != "nosniff":
        wrong.append("it may be sniffed")
    if headers.get("X-Frame-Options") not in ({"DENY", "SAMEORIGIN"} if of_the_cms else {"DENY"}):
        wrong.append(f"X-Frame-Options: {headers.get('X-Frame-Options')}")
    policy = headers.get("Content-Security-Policy", "")
    strict = "frame-ancestors 'none'" in policy and "unsafe" not in policy
    alone = policy == "default-src 'none'; sandbox"
    if not (strict or alone or (of_the_cms and "frame-ancestors 'self'" in policy)):
        wrong.append(f"policy: {policy}")
    if headers.get("Referrer-Policy") not in {"strict-origin-when-cross-origin", "same-origin"}:
        wrong.append(f"Referrer-Policy: {headers.get('Referrer-Policy')}")
    if headers.get("Cross-Origin-Opener-Policy") != "same-origin":
        wrong.append("no Cross-Origin-Opener-Policy")
    if not headers.get("X-Request-ID"):
        wrong.append("no X-Request-ID")
    wrong += [f"{name}: {headers[name]}" for name in ("Server", "X-Powered-By") if name in headers]
    return wrong


@pytest.mark.parametrize("code", ["out", "adm"])
def test_every_answer_has_the_headers(world: World, code: str) -> None:
    wrong = []
    for name in ROWS:
        path = path_of(world, name)
        answer = ask(world, code, "get", path)
        of_the_cms = path.startswith("/admin/")
        wrong += [
            f"{path} ({answer.status_code}): {fault}"
            for fault in check_headers(answer, of_the_cms=of_the_cms)
        ]
    assert not wrong, "\n".join(wrong)


def test_what_one_person_reads_is_kept_by_no_cache(world: World) -> None:
    """Whatever a visitor is not shown, or is shown otherwise, may be kept by no cache that several people share."""
    wrong = []
    for name, (_words, got, _posted) in ROWS.items():
        if len(got) == 1:
            continue
        for code in ("lrn", "adm"):
            answer = ask(world, code, "get", path_of(world, name))
            kept = answer.headers.get("Cache-Control", "")
            varies = answer.headers.get("Vary", "")
            if answer.letter == "2" and not ({"no-store", "private"} & set(kept.replace(",", " ").split())):
                # The CMS's own screens, and pages that differ by their cookie alone and may be asked for again.
                if name.endswith("_admin") or "_admin:" in name or "Cookie" in varies:
                    continue
                wrong.append(f"{name} by {code}: Cache-Control {kept!r}, Vary {varies!r}")
    assert not wrong, "\n".join(wrong)


class TestRefusals:
    """Errors have the same headers, and say nothing of what runs here."""

    @pytest.mark.parametrize(
        ("path", "status", "host"),
        [
            ("/documents/1/nothing.pdf", 404, "testserver"),
            ("/en/nothing/here/", 404, "testserver"),
            ("/api/v1/nothing/", 404, "testserver"),
            ("/en/trainings/", 400, "evil.example"),
            ("/en/%00/", 400, "testserver"),
        ],
    )
    def test_an_error_has_the_headers(self, world: World, path: str, status: int, host: str) -> None:
        answer = Client().get(path, headers={"host": host})
        assert answer.status_code == status
        # A host that is not ours is refused before anything else is known.
        faults = check_headers(answer, of_the_cms=False)
        assert faults == [] or host == "evil.example", faults
        assert host not in answer.content.decode() or host == "testserver"

    def test_a_failure_has_them_too(self, world: World) -> None:
        answer = ask(world, "adm", "get", "/admin/failwhale/")
        assert answer.status_code == 500
        assert check_headers(answer, of_the_cms=True) == []
        page = answer.content.decode()
        assert "Traceback" not in page
        assert "Exception" not in page

    def test_so_has_a_form_without_its_token(self, world: World) -> None:
        answer = Client(enforce_csrf_checks=True).post("/en/accounts/login/")
        assert answer.status_code == 403
        assert check_headers(answer, of_the_cms=False) == []


# --- Tokens of forms ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["out", "lrn", "adm"])
def test_no_form_is_taken_without_its_token(world: World, code: str) -> None:
    """Every address of the table, and every one of the CMS: POST from another site reaches no view."""
    client = world.clients[code]
    client.handler.enforce_csrf_checks = True
    wrong = []
    try:
        for route in list_routes():
            if route.name in ROWS:
                path = path_of(world, route.name)
            elif is_of_the_cms(route) and code == "adm":
                path = world.path(route.pattern, "")
            else:
                continue
            for headers in ({}, {"origin": "https://evil.example"}):
                answer = client.post(path, headers=headers)
                # The API is refused by who one is or by its token; what nobody may send, before it.
                if answer.status_code not in ((403, 405, 404) if path.startswith("/api/") else (403,)):
                    wrong.append(f"POST {path}: {answer.status_code}")
    finally:
        client.handler.enforce_csrf_checks = False
    assert not wrong, "\n".join(wrong)


def test_no_view_of_ours_does_without_the_token() -> None:
    """Those of the API ask for it themselves, of whoever is signed in by a session."""
    without = {
        route.name
        for route in list_routes()
        if getattr(route.view, "csrf_exempt", False) and not route.pattern.startswith(("api/v1/", "admin/"))
    }
    assert without == set()


# --- Redirects ----------------------------------------------------------------------------------------------------


def leads_away(goal: str) -> bool:
    """Whether a browser would leave the site: it reads backslashes as slashes, and drops what is no sign."""
    plain = "".join(sign for sign in goal if ord(sign) > 32).replace("\\", "/")
    parts = urlsplit(plain)
    return (
        plain.startswith("//") or parts.scheme not in {"", "http"} or parts.netloc not in {"", "testserver"}
    )


@pytest.mark.parametrize("code", ["out", "adm"])
def test_nobody_is_led_off_the_site(world: World, code: str) -> None:
    wrong = []
    for name, (_words, got, posted) in ROWS.items():
        path = path_of(world, name)
        for place in ELSEWHERE:
            for method in ("get", "post"):
                word = got if method == "get" else posted
                if set(word) <= {"5"} or (place != ELSEWHERE[0] and "r" not in word):
                    continue
                names = ("next", "redirect_to", "return_to", "url", "goto")
                values = dict.fromkeys(names, place)
                answer = ask(world, code, method, path, data=values, headers={"referer": place})
                if leads_away(answer.headers.get("Location", "")):
                    wrong.append(f"{method.upper()} {path}: {answer['Location']}")
    assert not wrong, "\n".join(wrong)


# --- Nonsense -----------------------------------------------------------------------------------------------------


def list_parameters() -> dict[str, set[str]]:
    """The names that the views of each floor look for in a query or a form."""
    names: dict[str, set[str]] = {"GET": set(), "POST": set()}
    for floor in settings.FLOORS:
        for path in (ROOT / floor).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in {"get", "getlist"}
                    and isinstance(node.func.value, ast.Attribute)
                    and node.func.value.attr in names
                    and node.args
                    and isinstance(node.args[0], ast.Constant)
                ):
                    names[node.func.value.attr].add(str(node.args[0].value))
    return names


NONSENSE: Final = ("\0", "'\"<>%s{}", "9" * 40, "é" * 300, "../../etc/passwd")


def find_failures(world: World, *, most: int) -> list[str]:
    """Each address, by the first of these who is not refused there: where somebody is, nothing they send is read.

    Each gets so many of the values, others than the one before it.
    """
    known = list_parameters()
    assert {"share", "q", "page", "next"} <= known["GET"]
    wrong = []
    for number, (name, (_words, *words)) in enumerate(ROWS.items()):
        path = path_of(world, name)
        for method, word in zip(("get", "post"), words, strict=True):
            letters = expect(word)
            code = next(
                (code for code in ("out", "lrn", "ins", "adm") if letters.get(code, "5") in "2ri"), None
            )
            if code is None:
                continue
            for place in range(most):
                value = NONSENSE[(number + place) % len(NONSENSE)]
                names = (*known[method.upper()], "number", "numbers", "sort", "show")
                status = ask(world, code, method, path, data=dict.fromkeys(names, value)).status_code
                if status >= 500:
                    wrong.append(f"{method.upper()} {path} by {code} with {value[:20]!r}: {status}")
    return wrong


def test_nonsense_is_no_failure(world: World) -> None:
    wrong = find_failures(world, most=2)
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
def test_all_nonsense_is_no_failure(world: World) -> None:
    wrong = find_failures(world, most=len(NONSENSE))
    assert not wrong, "\n".join(wrong)
