"""``make mutants``: plant one fault at a time, and see that a test notices.

Tests prove something only if they fail where the code is wrong. Each mutant below is a fault that would matter (a
ledger that can be changed, a key that leaks, a stranger let in, a signature believed unread); it is planted in a
throwaway copy of the tree, the test file that should notice is run, and the fault is taken out again. The working tree
is never touched. It stands with the tests, not with the benchmarks, because what it measures are the tests.

A mutant that no test notices is a survivor: exit 1. So is one whose text is not in the code any more.
``make mutants MUTANTS="score signature"`` runs those whose name holds one of the words.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONGEST_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A fault: in `path`, `old` (found once) becomes `new`; `tests` are the arguments of pytest that should notice."""

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        name="an answer key is written into a question's page",
        path="lms/selectors/sheets.py",
        old="        item=public_item(item, texts.language(), shown.options),\n",
        new="        item={**(i := public_item(item, texts.language(), shown.options)), 'stem_html': i['stem_html'] + "
        "f'<!-- {[one.key for one in item.options if one.correct]} -->'},\n",
        tests=("tests/lms/test_secrets.py", "-k", "page_is_the_same"),
    ),
    Mutant(
        name="what may be shown of an item holds which answer is right",
        path="assessments/rules/forms.py",
        old='        "stem_html": say(item.stem_html, language),\n        **kind.public',
        new='        "stem_html": say(item.stem_html, language),\n'
        '        "right": [option.key for option in item.options if option.correct],\n        **kind.public',
        tests=("tests/lms/test_secrets.py", "-k", "knows_no_key"),
    ),
    Mutant(
        name="a stranger's enrolment is shown instead of 404",
        path="lms/selectors/courses.py",
        old='Enrolment.objects.filter(pk=given_uuid("enrolment"), subject_id=given_uuid("subject"))',
        new='Enrolment.objects.filter(pk=given_uuid("enrolment"))',
        tests=("tests/lms/test_learner_screens.py", "-k", "a_stranger_finds_nothing"),
    ),
    Mutant(
        name="a score is off by one",
        path="assessments/rules/scoring.py",
        old="    points = sum((score.points for score in counted), Decimal(0))\n",
        new="    points = sum((score.points for score in counted), Decimal(1))\n",
        # Property tests notice it too, but take minutes to say how small a case shows it.
        tests=("tests/lms/test_learner_screens.py", "-k", "every_kind_is_answered"),
    ),
    Mutant(
        name="a pass mark that is just missed counts as reached",
        path="assessments/rules/scoring.py",
        old="points * 100 >= pass_mark * max_points",
        new="points * 100 >= (pass_mark - 1) * max_points",
        tests=("tests/assessments/test_rules.py", "-k", "near_miss"),
    ),
    Mutant(
        name="the signature of a credential is not checked",
        path="certificates/openbadges/proof.py",
        old="    if not keys.verify_signature(",
        new="    if False and not keys.verify_signature(",
        tests=("tests/certificates/test_openbadges.py", "-k", "signed_test_vector"),
    ),
    Mutant(
        name="the verification page believes facts that were changed",
        path="certificates/checks.py",
        old="        and digest_facts(content.facts, salt=content.salt) == certificate.digest\n",
        new="",
        tests=("tests/certificates/test_services.py", "-k", "tampered"),
    ),
    Mutant(
        name="an answer after the deadline is taken",
        path="assessments/services/running.py",
        old="    if attempt.deadline and now > attempt.deadline + GRACE:\n",
        new="    if attempt.deadline and now > attempt.deadline + 100 * GRACE:\n",
        tests=("tests/assessments/test_services.py", "-k", "after_time_is_up"),
    ),
    Mutant(
        name="the key of a repeated entry is ignored",
        path="lms/services/learning.py",
        old="    return found is not None\n\n\n@transaction.atomic\ndef open_step",
        new="    return False\n\n\n@transaction.atomic\ndef open_step",
        tests=("tests/faults/test_repeats.py", "-k", "sent_twice and reflection"),
    ),
    Mutant(
        name="a second submission scores again",
        path="assessments/services/handing_in.py",
        old="    if attempt.submitted_at is not None:\n        return attempt\n    if others:",
        new="    if others:",
        tests=("tests/assessments/test_services.py", "-k", "twenty_hand_in or after_handing_in"),
    ),
    Mutant(
        name="a certificate is issued before every step is complete",
        path="certificates/rules.py",
        old="        return bool(self.required) and not self.missing",
        new="        return bool(self.required)",
        tests=("tests/certificates/test_rules.py", "-k", "set_membership"),
    ),
    Mutant(
        name="the holder's consent is ignored on the verification page",
        path="certificates/permissions.py",
        old="    if consented:\n",
        new="    if True:\n",
        tests=("tests/certificates/test_views.py", "-k", "consent_and_role or consent_that_is_withdrawn"),
    ),
    Mutant(
        name="a cell of an export is a formula",
        path="core/spreadsheets.py",
        old="""    return f"'{text}" if looks_like_one else text""",
        new="    return text",
        tests=("tests/lms/test_desk_offering.py", "-k", "formula"),
    ),
    Mutant(
        name="cleaned HTML keeps onerror",
        path="core/sanitize.py",
        old='    "*": frozenset({"lang", "dir", "id", "class"}),',
        new='    "*": frozenset({"lang", "dir", "id", "class", "onerror", "onclick"}),',
        tests=("tests/core/test_sanitize.py", "-k", "what_runs_is_gone"),
    ),
    Mutant(
        name="erasing a person leaves their files",
        path="accounts/services/texts.py",
        old="            transaction.on_commit(partial(delete_file, text.file.storage, text.file.name))\n",
        new="            pass\n",
        tests=("tests/accounts/test_erasure.py", "-k", "makes_a_person_known"),
    ),
    Mutant(
        name="fewer than five people are counted aloud",
        path="lms/answers.py",
        old="SMALLEST_COUNT = 5",
        new="SMALLEST_COUNT = 1",
        tests=("tests/lms/test_learner_answers.py", "-k", "small_number"),
    ),
    Mutant(
        name="a task whose worker died is forgotten",
        path="core/tasks.py",
        old="        if len(task.worker_ids) < most:",
        new="        if len(task.worker_ids) < 1:",
        tests=("tests/core/test_health.py", "-k", "lease or died"),
    ),
    Mutant(
        name="a picture is kept however many frames it has",
        path="core/uploads.py",
        old="                if width * height * frames > limit:",
        new="                if width * height * frames < 0:",
        tests=("tests/core/test_uploads.py", "-k", "frames"),
    ),
    Mutant(
        name="a projection forgets a completion",
        path="lms/projections.py",
        old="    update=STEP_FIELDS,\n",
        new='    update=[name for name in STEP_FIELDS if name != "completed_at"],\n',
        tests=("tests/lms/test_services_learning.py",),
    ),
    Mutant(
        name="a consent to one certificate shows another",
        path="certificates/page.py",
        old='                subject_id=OuterRef("subject_id"), about=OuterRef("pk")\n',
        new='                subject_id=OuterRef("subject_id")\n',
        tests=("tests/certificates/test_views.py", "-k", "shows_no_other"),
    ),
    Mutant(
        name="a session that has ended still opens",
        path="accounts/sessions.py",
        old=', expire_date__gt=given_moment("now"))',
        new=")",
        tests=("tests/accounts/test_protection.py", "-k", "session_that_has_ended"),
    ),
    Mutant(
        name="wrong passwords are not counted",
        path="config/settings.py",
        old='    "login_failed": "10/m/ip,5/300s/key",\n',
        new='    "login_failed": "10000/m/ip",\n',
        tests=("tests/accounts/test_protection.py", "-k", "closed_after_five"),
    ),
    Mutant(
        name="a limit on tries is off",
        path="core/ratelimit.py",
        old="seconds=limit.seconds) > limit.amount:",
        new="seconds=limit.seconds) > 1000 * limit.amount:",
        tests=("tests/core/test_ratelimit.py", "-k", "past_the_limit"),
    ),
    Mutant(
        name="staff come in without a second factor",
        path="accounts/middleware.py",
        old="            if lacks_second_factor(request.user):\n",
        new="            if False and lacks_second_factor(request.user):\n",
        tests=("tests/accounts/test_second_factor.py", "-k", "every_staff_screen"),
    ),
    Mutant(
        name="a certificate is revoked without asking who one is",
        path="certificates/admin_views.py",
        old='@reauthentication_required(app="accounts")\ndef revoke(',
        new="def revoke(",
        tests=("tests/accounts/test_protection.py", "-k", "typed_is_kept_and_done"),
    ),
    Mutant(
        name="a role is ended without asking who one is",
        path="accounts/admin_views.py",
        old='@reauthentication_required(app="accounts")\ndef end_role(',
        new="def end_role(",
        tests=("tests/accounts/test_protection.py", "-k", "anything_of_another_person"),
    ),
    Mutant(
        name="what waits for a repeated sign-in stands in clear",
        path="accounts/suspended.py",
        old="    reauthentication.serialize_request = seal_request\n"
        "    reauthentication.deserialize_request = open_request\n",
        new="    assert reauthentication\n",
        tests=("tests/accounts/test_protection.py", "-k", "waits_is_sealed"),
    ),
    Mutant(
        name="a form is taken without its token",
        path="lms/urls.py",
        old='    path("<slug:step>/", steps.show_step, name="step"),',
        new='    path("<slug:step>/", __import__("django.views.decorators.csrf", fromlist=["x"])'
        '.csrf_exempt(steps.show_step), name="step"),',
        tests=("tests/config/test_every_answer.py", "-k", "does_without_the_token"),
    ),
    Mutant(
        name="a locked lesson stands in the book",
        path="lms/permissions.py",
        old="        if any(is_unlocked(course, done, step.key) for done in completed.values())\n",
        new="        if completed or is_unlocked\n",
        tests=("tests/lms/test_book.py", "-k", "what_is_open_to_them"),
    ),
    Mutant(
        name="a lesson is completed without a lock",
        path="core/prepared_writes.py",
        old=" FOR NO KEY UPDATE OF {locked}",
        new="",
        tests=("tests/lms/test_engine.py", "-k", "twenty_times_at_once"),
    ),
    Mutant(
        name="a text that is kept is found in any language",
        path="modules/selectors.py",
        old="    key = (edition_id, step_key, language)\n",
        new='    key = (edition_id, step_key, "")\n',
        tests=("tests/lms/test_learner_screens.py", "-k", "text_of_its_own"),
    ),
    Mutant(
        name="a part of a page that is kept for one person is shown to another",
        path="core/templatetags/kept.py",
        old="key = (self, _where(context), *map(_freeze, values.values()))",
        new="key = (self, _where(context))",
        tests=("tests/core/test_kept_parts.py", "-k", "rendered_once"),
    ),
    Mutant(
        name="two gigabytes are read",
        path="core/size.py",
        old="        if size > most:\n",
        new="        if size > 1000 * most:\n",
        tests=("tests/faults/test_large_requests.py", "-k", "says_of_its_size"),
    ),
    Mutant(
        name="a repeated form brings its file twice",
        path="accounts/services/texts.py",
        old="    return {key: upload for key, upload in keyed.items() if key not in known}\n",
        new="    return {uuid.uuid4(): upload for key, upload in keyed.items() if known or key}\n",
        tests=("tests/faults/test_uploads.py", "-k", "brings_a_file_once"),
    ),
    Mutant(
        name="a file without a row is left",
        path="lms/services/attempts.py",
        old="    except BaseException:\n        discard_files(added)\n        raise\n",
        new="    finally:\n        pass\n",
        tests=("tests/faults/test_uploads.py", "-k", "leaves_no_file"),
    ),
    Mutant(
        name="half a file is left where the disk is full",
        path="core/storage.py",
        old="                part.unlink()\n",
        new="                pass\n",
        tests=("tests/faults/test_uploads.py", "-k", "when_all_of_it_is_there"),
    ),
    Mutant(
        name="the API fails with a page",
        path="core/outage.py",
        old="    if not outage and not full and not is_program(request):\n",
        new="    if not outage and not full:\n",
        tests=("tests/config/test_api.py", "-k", "fault_of_ours"),
    ),
    Mutant(
        name="the application may delete a frozen row",
        path="core/ledger.py",
        old='            sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(where, name),\n',
        new='            sql.SQL("REVOKE TRUNCATE ON {} FROM {}").format(where, name),\n',
        tests=("tests/core/test_ledger.py", "-k", "frozen"),
    ),
    Mutant(
        name="a frozen row may be deleted",
        path="core/ledger.py",
        old='            f"CREATE TRIGGER {FROZEN_TRIGGER}_delete BEFORE DELETE ON {quoted} "\n',
        new='            f"CREATE TRIGGER {FROZEN_TRIGGER}_delete BEFORE UPDATE OF id ON {quoted} "\n',
        tests=("tests/core/test_ledger.py", "-k", "frozen"),
    ),
    Mutant(
        name="two courses of one person are projected at once",
        path="lms/services/step_ledger.py",
        old="    also=(Subject,),\n",
        new="",
        tests=("tests/lms/test_services_learning.py", "-k", "serve_one_competency"),
    ),
    Mutant(
        name="a lock is not taken",
        path="core/prepared_writes.py",
        old=" FOR NO KEY UPDATE OF {locked}",
        new="",
        tests=("tests/core/test_prepared_writes.py", "-k", "lock"),
    ),
    Mutant(
        name="the trigger of the ledgers is dropped",
        path="core/ledger.py",
        old='            f"CREATE TRIGGER {TRIGGER} BEFORE UPDATE OR DELETE ON {quoted} "\n',
        new='            f"CREATE TRIGGER {TRIGGER} BEFORE UPDATE OF id ON {quoted} "\n',
        tests=("tests/core/test_ledger.py", "-k", "refuses_even_its_owner or application_may"),
    ),
    Mutant(
        name="the application's role may change ledgers",
        path="core/ledger.py",
        old='        sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(sql.Identifier(table), name)\n',
        new='        sql.SQL("REVOKE TRUNCATE ON {} FROM {}").format(sql.Identifier(table), name)\n',
        tests=("tests/core/test_ledger.py", "-k", "refuses_even_its_owner or application_may"),
    ),
)


class BrokenMutant(Exception):
    """The fault cannot be planted: the code has changed."""


def copy_tree(to: Path) -> None:
    """The files of the working tree that git knows or would take, as they are now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, to / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def plant(mutant: Mutant, tree: Path) -> str:
    """Put the fault into the copy; what stood there before is given back."""
    path = tree / mutant.path
    before = path.read_text(encoding="utf-8")
    if before.count(mutant.old) != 1:
        raise BrokenMutant(
            f"{mutant.path} holds the text to be changed {before.count(mutant.old)} times, not once."
        )
    path.write_text(before.replace(mutant.old, mutant.new), encoding="utf-8")
    return before


def describe_schema(tree: Path, *, data: Path) -> str:
    """The name of the tables as the tree without a fault has them; its test database is made here."""
    told = "from tests.database import describe_schema as d; import django; django.setup(); print(d())"
    done = subprocess.run(
        [sys.executable, "-c", told],
        cwd=tree,
        env={**os.environ, "DATA_DIR": str(data), "DJANGO_SETTINGS_MODULE": "tests.settings"},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def run_tests(
    tree: Path, tests: tuple[str, ...], *, data: Path, schema: str, stop: bool = True
) -> tuple[int, str]:
    """Run pytest in the copy; its exit code and what it said."""
    plain = ["-q", "-p", "no:xdist", "-p", "no:cacheprovider", *(["-x"] if stop else [])]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *plain, *tests],
        cwd=tree,
        env={
            **os.environ,
            "DATA_DIR": str(data),
            "PYTHONDONTWRITEBYTECODE": "1",
            # No fault changes a table, so that the database is migrated once.
            "TEST_SCHEMA": schema,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LONGEST_SECONDS,
    )
    return result.returncode, result.stdout


def try_mutant(mutant: Mutant, tree: Path, *, data: Path, schema: str) -> str:
    """The test that noticed. Raises BrokenMutant, or Survived."""
    before = plant(mutant, tree)
    try:
        code, said = run_tests(tree, mutant.tests, data=data, schema=schema)
    finally:
        (tree / mutant.path).write_text(before, encoding="utf-8")
    noticed = re.search(r"^FAILED (.+?)(?: - |$)", said, re.MULTILINE)
    if code == 0:
        raise Survived
    if code != 1 or noticed is None:
        raise BrokenMutant(f"The tests could not be run:\n{said[-1500:]}")
    return _function(noticed[1])


class Survived(Exception):
    """No test noticed."""


def keep_server(data: Path) -> object:
    """Hold the test database's server for the whole run, so that each mutant does not start it anew."""
    sys.path.insert(0, str(ROOT))
    from config.postgres import EmbeddedPostgres

    server = EmbeddedPostgres(data / "test" / "postgres", throwaway=True)
    server.acquire()
    return server


def check_unharmed(noticed: dict[str, str], tree: Path, *, data: Path, schema: str) -> list[str]:
    """The mutants whose test fails without the fault too, and so proved nothing. One run of all those tests."""
    if not noticed:
        return []
    tests = sorted(set(noticed.values()))
    code, said = run_tests(tree, tuple(tests), data=data, schema=schema, stop=False)
    failing = {
        _function(found) for found in re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", said, re.MULTILINE)
    }
    if code and not failing:
        sys.exit(f"Without a fault the tests could not be run:\n{said[-3000:]}")
    return [name for name, test in noticed.items() if test in failing]


def _function(node: str) -> str:
    """A test without its parameters."""
    return node.split("[", maxsplit=1)[0]


def main() -> None:
    words = os.environ.get("MUTANTS", "").split() or sys.argv[1:]
    chosen = [one for one in MUTANTS if not words or any(word in one.name for word in words)]
    data = Path(os.environ.get("DATA_DIR", ROOT / "var")).resolve() / "mutants"
    bad = 0
    server = keep_server(data)
    noticed: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="safer-mutants-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        schema = describe_schema(tree, data=data)
        for mutant in chosen:
            started = time.monotonic()
            try:
                noticed[mutant.name] = try_mutant(mutant, tree, data=data, schema=schema)
                found = f"noticed by {noticed[mutant.name]}"
            except Survived:
                bad, found = bad + 1, f"SURVIVED: nothing in {' '.join(mutant.tests)} noticed"
            except BrokenMutant as error:
                bad, found = bad + 1, f"BROKEN: {error}"
            print(f"  {mutant.name}: {found} ({time.monotonic() - started:.0f} s)", flush=True)
        for name in check_unharmed(noticed, tree, data=data, schema=schema):
            bad += 1
            print(f"  {name}: BROKEN: its test fails without the fault too", flush=True)
    del server
    print(f"\n  {len(chosen)} faults planted, {len(chosen) - bad} noticed.", flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
