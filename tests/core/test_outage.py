"""While the database is away: what counts as that, and what a person, a program and autosave get."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, OperationalError, ProgrammingError, connection, transaction
from django.test import Client

from config.postgres import DATABASE, OWNER_ROLE, EmbeddedPostgres
from core.outage import is_outage
from core.postgres.base import DatabaseWrapper, Shelf, empty_shelves


@pytest.fixture
def away(transactional_db: None) -> Iterator[Client]:
    """A client of a site whose database cannot be reached: the connection leads to an address where nobody is."""
    connection.close()
    real = dict(connection.settings_dict)
    connection.settings_dict.update({"HOST": "127.0.0.1", "PORT": "1"})
    try:
        client = Client(raise_request_exception=False)
        client.cookies[settings.SESSION_COOKIE_NAME] = "x" * 32
        yield client
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(real)


pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "The site cannot reach its records just now."),
        ("fr", "Le site ne peut pas joindre ses dossiers"),
    ],
)
def test_a_page_says_so_calmly_and_tries_again_by_itself(away: Client, language: str, sentence: str) -> None:
    response = away.get(f"/{language}/my/")
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Language"] == language
    page = response.content.decode()
    assert sentence in page
    assert f'<html lang="{language}">' in page
    assert '<meta http-equiv="refresh" content="5">' in page
    assert "Traceback" not in page


def test_a_form_stays_in_the_page_and_is_sent_again_by_one_press(away: Client) -> None:
    words = '<script>alert("words")</script>'
    response = away.post(
        f"/en/learn/{uuid.uuid4()}/one/",
        {"client_id": "c0ffee", "text": words},
    )
    page = response.content.decode()
    assert response.status_code == 503
    assert "http-equiv" not in page
    assert 'name="client_id" value="c0ffee"' in page
    assert "&lt;script&gt;" in page
    assert words not in page


def test_a_password_is_never_written_into_a_page(away: Client) -> None:
    response = away.post("/en/accounts/login/", {"login": "a@example.org", "password": "very-secret"})
    assert response.status_code == 503
    assert b"very-secret" not in response.content


def test_autosave_and_programs_get_one_shape(away: Client) -> None:
    for response in (
        away.post(
            f"/en/learn/{uuid.uuid4()}/one/",
            {"client_id": "c0ffee", "field": "text", "value": "w"},
            headers={"Accept": "application/json"},
        ),
        away.get("/ims/case/v1p1/CFDocuments"),
    ):
        assert response.status_code == 503
        assert response.json()["code"] == "unavailable"
        assert response["Retry-After"] == "5"


@pytest.mark.parametrize("signed_in", [False, True])
def test_liveness_stands_and_readiness_does_not(away: Client, signed_in: bool) -> None:
    """Whoever asks, and whatever cookies they send."""
    if not signed_in:
        away.cookies.clear()
    assert away.get("/healthz").json() == {"status": "ok"}
    said = away.get("/readyz")
    assert said.status_code == 503
    assert said.json()["parts"]["database"] == "failed"


# --- What counts --------------------------------------------------------------------------------------------------


def fail(statement: str) -> Exception:
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    return caught.value


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 / 0",
        "SELECT * FROM nothing_of_that_name",
        "SET LOCAL statement_timeout = 1; SELECT pg_sleep(5)",
        "DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$",
    ],
)
def test_a_fault_of_ours_is_no_outage(statement: str) -> None:
    assert not is_outage(fail(statement))


@pytest.mark.parametrize("state", ["57P01", "57P02", "57P03", "08006", "53100", "53300", "58030", "25006"])
def test_a_server_that_cannot_go_on_is_one(state: str) -> None:
    assert is_outage(fail(f"DO $$ BEGIN RAISE EXCEPTION 'away' USING ERRCODE = '{state}'; END $$"))


def test_what_follows_from_one_is_one_and_a_bug_behind_one_is_not() -> None:
    lost = OperationalError()
    lost.__cause__ = psycopg.OperationalError("the connection is closed")
    later = ProgrammingError("Cannot open a new connection in an atomic block.")
    later.__context__ = lost
    assert is_outage(later)
    bug = KeyError("name")
    bug.__context__ = lost
    assert not is_outage(bug)
    assert not is_outage(None)


# --- Kept connections ---------------------------------------------------------------------------------------------


@pytest.fixture
def kept() -> Iterator[DatabaseWrapper]:
    told = {**connection.settings_dict, "KEEP_CONNECTIONS": 2}
    wrapper = DatabaseWrapper(told, alias="kept")
    wrapper.inc_thread_sharing()
    yield wrapper
    wrapper.close()
    empty_shelves()


def ask(wrapper: DatabaseWrapper) -> int:
    """One request's use of the database: the number of the server's process."""
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        number: int = cursor.fetchone()[0]
    wrapper.close()
    return number


def test_a_connection_outlives_its_request(kept: DatabaseWrapper) -> None:
    assert ask(kept) == ask(kept)


def test_one_that_was_cut_meanwhile_is_not_used(kept: DatabaseWrapper) -> None:
    number = ask(kept)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [number])
    assert ask(kept) != number


def test_one_that_was_cut_at_work_is_not_kept(kept: DatabaseWrapper) -> None:
    with kept.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        number = cursor.fetchone()[0]
        with connection.cursor() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [number])
        with pytest.raises(OperationalError) as caught:
            cursor.execute("SELECT 1")
    assert is_outage(caught.value)
    kept.close_if_unusable_or_obsolete()
    kept.close()
    assert ask(kept) != number


def test_one_in_a_transaction_is_never_kept(kept: DatabaseWrapper) -> None:
    kept.set_autocommit(False)
    number = ask(kept)
    assert ask(kept) != number


def test_no_more_are_kept_than_was_said() -> None:
    told = connection.settings_dict
    shelf = Shelf(1)
    links = [
        psycopg.connect(host=told["HOST"], user=told["USER"], dbname=told["NAME"], autocommit=True)
        for _ in range(2)
    ]
    assert shelf.put(links[0])
    assert not shelf.put(links[1])
    assert shelf.take() is links[0]
    assert shelf.take() is None
    for link in links:
        link.close()


def test_one_that_was_silent_for_long_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    told = connection.settings_dict
    shelf = Shelf(1)
    with psycopg.connect(host=told["HOST"], user=told["USER"], dbname=told["NAME"], autocommit=True) as link:
        shelf.put(link)
        monkeypatch.setattr("core.postgres.base.LONGEST_SILENCE", 0.0)
        assert shelf.take() is link


# --- The embedded server ------------------------------------------------------------------------------------------


def test_the_embedded_server_is_started_again_where_it_ended_by_itself(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", throwaway=True)
    assert not server.revive()
    server.acquire()
    try:
        assert not server.revive()
        server._run("pg_ctl", "-D", server.data, "-m", "immediate", "-w", "stop")
        assert server.revive()
        with psycopg.connect(host=str(server.socket_folder), user=OWNER_ROLE, dbname=DATABASE) as link:
            assert link.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.release()


def test_many_threads_share_the_shelf(kept: DatabaseWrapper) -> None:
    failed: list[BaseException] = []

    def work() -> None:
        own = DatabaseWrapper({**connection.settings_dict, "KEEP_CONNECTIONS": 2}, alias="kept")
        try:
            for _ in range(20):
                ask(own)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert not settings.DATABASES["default"].get("KEEP_CONNECTIONS")
