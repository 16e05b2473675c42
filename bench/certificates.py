"""``python -m bench.certificates``: a whole cohort's certificates through the queue, while somebody reads a lesson.

Starts the site as `make run` does on data of its own, makes `CERTIFICATES` (200) completed enrolments without a
certificate, asks for all of them in one job, and measures until the last PDF is signed: seconds, processor seconds of
the workers, and the lesson page's p50 meanwhile, beside its own when
nothing else goes on and beside the yardstick. Then every certificate and PDF is
checked by our own verifier, and a sample by `pdfsig` where there is one.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

ROOT: Final = Path(__file__).resolve().parent.parent
SITE_PORT: Final = int(os.environ.get("PORT", "8771"))
YARD_PORT: Final = SITE_PORT + 1
COUNT: Final = int(os.environ.get("CERTIFICATES", "200"))
IDLE_REQUESTS: Final = 200
SAMPLE: Final = 10
LONGEST_SECONDS: Final = 900
# Twice what a lesson may take beside the yardstick (docs/performance.md).
LESSON_TARGET: Final = 5


def main() -> None:
    os.environ.update(
        DATA_DIR=str(ROOT / "var" / "bench-certificates"),
        DEMO="1",
        PORT=str(SITE_PORT),
        LOG_LEVEL="ERROR",
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    os.environ.pop("DEBUG", None)
    site = subprocess.Popen([sys.executable, "-m", "config.serve"], cwd=ROOT)
    yard: subprocess.Popen[bytes] | None = None
    try:
        wait_for(f"http://127.0.0.1:{SITE_PORT}/healthz", seconds=1800)
        import django

        django.setup()
        lesson, environ = find_lesson(), find_yardstick()
        offering = make_completed(COUNT)
        wait_for_queue()
        yard = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--workers", "3", "--log-level", "error"),
                *("--bind", f"127.0.0.1:{YARD_PORT}", "bench.yardstick:application"),
            ],
            cwd=ROOT,
            env={**{k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}, **environ},
        )
        wait_for(f"http://127.0.0.1:{YARD_PORT}/")
        report(measure(offering, lesson=lesson, site=site.pid))
    finally:
        for child in (yard, site):
            if child is not None:
                child.terminate()
                child.wait(timeout=60)


def wait_for(url: str, seconds: int = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2)
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
        else:
            return
    sys.exit(f"{url} did not answer within {seconds} seconds.")


@dataclass(frozen=True)
class Page:
    """A page that is read: where, by whom, and words that must stand in it."""

    port: int
    path: str
    words: str
    cookie: str = ""


def find_lesson() -> Page:
    """The demo's lesson, as its learner reads it."""
    from django.conf import settings
    from django.test import Client

    from accounts.models import User
    from cms.demo.views import find_places

    client = Client()
    client.force_login(
        User.objects.get(email="learner@demo.example"), backend="accounts.backends.PersonBackend"
    )
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    return Page(SITE_PORT, find_places()["lesson"], "</article>", f"{settings.SESSION_COOKIE_NAME}={key}")


def find_yardstick() -> dict[str, str]:
    """What the yardstick needs to know."""
    from django.db import connection

    from modules.models import CourseEdition

    told = connection.settings_dict
    password = quote(str(told["PASSWORD"]), safe="")
    address = f"postgresql://{told['USER']}:{password}@/{told['NAME']}?{urlencode({'host': told['HOST']})}"
    edition = CourseEdition.objects.values_list("pk", flat=True)[0]
    return {"BENCH_DATABASE": address, "BENCH_EDITION": str(edition)}


def make_completed(count: int) -> Any:
    """So many completed enrolments of the demo's cohort that lack their certificate, like one of its own."""
    from django.db import connection, transaction

    from certificates.due import list_due
    from cms.demo.cast import COHORT, COHORT_NAMES, key_of
    from lms.models import Offering

    offering = Offering.objects.get(slug=COHORT)
    finished = next(name for name, _place, _language, far in COHORT_NAMES if far == "complete")
    missing = count - len(list_due(offering_id=offering.pk))
    if missing <= 0:
        return offering
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE made ON COMMIT DROP AS SELECT gen_random_uuid() AS usr, gen_random_uuid() AS subject,"
            " gen_random_uuid() AS enrolment, n FROM generate_series(1, %s) n",
            [missing],
        )
        for table, values in COPIES:
            cursor.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND table_schema = 'public'"
                " ORDER BY ordinal_position",
                [table],
            )
            names = [name for (name,) in cursor.fetchall() if name not in values.get("-", ())]
            chosen = ", ".join(values.get(name, f't."{name}"') for name in names)
            columns = ", ".join(f'"{name}"' for name in names)
            cursor.execute(
                f"INSERT INTO {table} ({columns}) SELECT {chosen} FROM {table} t, made m WHERE {values['where']}",
                {"model": key_of(COHORT, finished)},
            )
    return offering


OF_MODEL = "t.enrolment_id = %(model)s"
LEDGER = {"-": ("id",), "client_id": "gen_random_uuid()", "enrolment_id": "m.enrolment"}
COPIES: list[tuple[str, dict[str, Any]]] = [
    (
        "accounts_user",
        {
            "id": "m.usr",
            "email": "'bench' || m.n || '-' || substr(m.usr::text, 1, 8) || '@bench.example'",
            "where": "t.id = (SELECT s.user_id FROM accounts_subject s JOIN lms_enrolment e ON e.subject_id = s.id"
            " WHERE e.id = %(model)s)",
        },
    ),
    (
        "accounts_subject",
        {
            "id": "m.subject",
            "user_id": "m.usr",
            "where": "t.id = (SELECT subject_id FROM lms_enrolment WHERE id = %(model)s)",
        },
    ),
    ("lms_enrolment", {"id": "m.enrolment", "subject_id": "m.subject", "where": "t.id = %(model)s"}),
    ("lms_enrolmentevent", {**LEDGER, "actor_id": "m.subject", "where": OF_MODEL}),
    ("lms_learningevent", {**LEDGER, "subject_id": "m.subject", "where": OF_MODEL}),
    ("lms_stepprogress", {"-": ("id",), "enrolment_id": "m.enrolment", "where": OF_MODEL}),
    ("lms_courseprogress", {"enrolment_id": "m.enrolment", "where": OF_MODEL}),
    (
        "lms_evidence",
        {**LEDGER, "subject_id": "m.subject", "source": "gen_random_uuid()", "where": OF_MODEL},
    ),
    (
        "lms_standing",
        {
            "-": ("id",),
            "subject_id": "m.subject",
            "where": "t.subject_id = (SELECT subject_id FROM lms_enrolment WHERE id = %(model)s)",
        },
    ),
]


def wait_for_queue() -> float:
    """Until nothing is ready or runs; how long that took."""
    from django_tasks_db.models import DBTaskResult

    started = time.monotonic()
    while time.monotonic() - started < LONGEST_SECONDS:
        if not (DBTaskResult.objects.ready() | DBTaskResult.objects.running()).exists():
            return time.monotonic() - started
        time.sleep(0.2)
    sys.exit("The queue did not become empty.")


def measure(offering: Any, *, lesson: Page, site: int) -> dict[str, Any]:
    from accounts.models import Job, User
    from accounts.services import subject_of
    from certificates.due import list_due
    from certificates.jobs import ask_for_due
    from certificates.models import Certificate

    yard = read_in_turn(Page(YARD_PORT, "/", "<h1>"))
    idle = read_in_turn(lesson)
    due = [str(key) for key in list_due(offering_id=offering.pk)]
    admin = subject_of(User.objects.get(email="admin@demo.example"))
    reader = Reader(lesson)
    before = processor_seconds(site)
    started = time.monotonic()
    reader.start()
    job = ask_for_due(offering=offering, asker=admin, job_id=uuid.uuid4())
    while not job.is_over and time.monotonic() - started < LONGEST_SECONDS:
        time.sleep(0.1)
        job.refresh_from_db()
    seconds = time.monotonic() - started
    used = {name: after - before.get(name, 0.0) for name, after in processor_seconds(site).items()}
    reader.stop()
    pictures = wait_for_queue()
    if job.state != Job.State.DONE or job.result["failed"]:
        sys.exit(f"The job did not come out well: {job.state} {job.result} {job.problem}")
    made = list(Certificate.objects.filter(enrolment__in=due).select_related("content__pdf_key"))
    faults = check(made)
    return {
        "certificates": len(made),
        "seconds": round(seconds, 1),
        "processor_seconds_a_certificate": round(sum(used.values()) / len(made), 3),
        "processor_seconds": {name: round(value, 1) for name, value in used.items()},
        "seconds_until_pictures": round(seconds + pictures, 1),
        "processors": os.cpu_count(),
        "lesson_p50_ms_idle": round(idle * 1000, 1),
        "lesson_p50_ms_meanwhile": round(reader.p50 * 1000, 1),
        "lesson_requests_meanwhile": len(reader.seconds),
        "yardstick_p50_ms": round(yard * 1000, 1),
        "lesson_ratio_meanwhile": round(reader.p50 / yard, 2),
        "lesson_target_meanwhile": 2 * LESSON_TARGET,
        "faults": faults,
    }


def ask(line: http.client.HTTPConnection, page: Page) -> float:
    """One request; its seconds. Refuses an answer without the words."""
    started = time.perf_counter()
    line.request("GET", page.path, headers={"Cookie": page.cookie} if page.cookie else {})
    answer = line.getresponse()
    body = answer.read()
    took = time.perf_counter() - started
    if answer.status != 200 or page.words.encode() not in body:
        raise RuntimeError(f"{page.path} answered {answer.status} without “{page.words}”.")
    return took


def read_in_turn(page: Page) -> float:
    """The p50 of so many requests one after the other, each on a line of its own where the server closes it."""
    line = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    ask(line, page)
    seconds = [ask(line, page) for _ in range(IDLE_REQUESTS)]
    line.close()
    return statistics.median(seconds)


class Reader(threading.Thread):
    """Somebody who reads one lesson after the other."""

    def __init__(self, target: Page) -> None:
        super().__init__()
        self.target = target
        self.seconds: list[float] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.target.port, timeout=60)
        while not self.stopped.wait(0.05):
            self.seconds.append(ask(line, self.target))
        line.close()

    def stop(self) -> None:
        self.stopped.set()
        self.join()

    @property
    def p50(self) -> float:
        return statistics.median(self.seconds)


def processor_seconds(site: int) -> dict[str, float]:
    """What the workers of this site and its database have used so far, by what they are; of Linux only."""
    used = {"workers": 0.0, "database": 0.0}
    folder = str(ROOT / "var" / "bench-certificates" / "postgres")
    tick = os.sysconf("SC_CLK_TCK")
    postmaster = {
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if folder in _read(path) and "postgres" in _read(path)
    }
    for path in Path("/proc").glob("[0-9]*/stat"):
        fields = _read(path).rpartition(")")[2].split()
        if not fields:
            continue
        parent, seconds = int(fields[1]), (int(fields[11]) + int(fields[12])) / tick
        if parent in postmaster:
            # Those that ended are counted with the one that started them.
            used["database"] += seconds
        elif int(path.parent.name) in postmaster:
            used["database"] += seconds + (int(fields[13]) + int(fields[14])) / tick
        elif parent == site and "work" in _read(path.parent / "cmdline").split("\0"):
            used["workers"] += seconds
    return used


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def check(made: list[Any]) -> list[str]:
    """What is wrong with what was made: nothing, one hopes."""
    from certificates.checks import check_certificate
    from certificates.issuer import list_credential_keys
    from certificates.pdf_signing import verify_pdf
    from core import clock

    faults, keys, now = [], list_credential_keys(), clock.now()
    for number, certificate in enumerate(made):
        found = check_certificate(
            certificate, certificate.content, entries=list(certificate.statuses.all()), keys=keys, at=now
        )
        if not found.stands:
            faults.append(f"{certificate.number} does not stand: {found.reasons}")
        for language in ("en", "fr"):
            with certificate.content.pdf_in(language).open("rb") as opened:
                pdf = opened.read()
            signature = verify_pdf(pdf, trusted=[certificate.content.pdf_key.public])
            if signature is None or not signature.stands:
                faults.append(f"The PDF of {certificate.number} in {language} does not verify.")
            if number < SAMPLE and shutil.which("pdfsig") and not says_valid(pdf):
                faults.append(f"pdfsig does not take the PDF of {certificate.number} in {language}.")
    enrolments = {certificate.enrolment_id for certificate in made}
    if len(enrolments) != len(made):
        faults.append(f"{len(made)} certificates for {len(enrolments)} enrolments.")
    return faults


def says_valid(pdf: bytes) -> bool:
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(pdf)
        file.flush()
        said = subprocess.run(["pdfsig", file.name], capture_output=True, text=True, check=False).stdout
    return "Signature is Valid" in said


def report(found: dict[str, Any]) -> None:
    (ROOT / "var").mkdir(exist_ok=True)
    (ROOT / "var" / "bench-certificates.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    for name, value in found.items():
        print(f"  {name.replace('_', ' '):36} {value}")
    if found["faults"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
