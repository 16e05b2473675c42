"""Jobs: asked once, done once, seen by who asked, and forgotten in time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from django_tasks_db.models import DBTaskResult

from accounts import services
from accounts.jobs import JobKind, Progress
from accounts.models import Job, JobPart, User, private_storage
from accounts.services.jobs import close_part, forget_old_jobs, take_up
from accounts.tasks import run_job, run_job_part
from core import clock
from core.errors import DomainError, NotFound
from core.tasks import release_expired_tasks
from tests import database
from tests.factories.certificates import run_tasks
from tests.factories.jobs import kind_of_tests, read_body

SignIn = Callable[[User], Client]


def write_file(*, job: Job, progress: Progress) -> None:
    services.finish_job(job=job, content=b"made", name="made.txt", content_type="text/plain", result={"n": 1})


@pytest.fixture
def kind() -> Iterator[JobKind]:
    with kind_of_tests(run=write_file, may_fetch=lambda user, job: job.asker.user_id == user.pk) as made:
        yield made


@pytest.fixture
def staff_may_enter(db: None) -> None:
    """What `setup_site` gives: administrators may enter the CMS."""
    permission = Permission.objects.get(codename="access_admin")
    Group.objects.get_or_create(name="Administrators")[0].permissions.add(permission)


def ask(user: User, *, key: uuid.UUID | None = None, about: str = "") -> Job:
    return services.ask_job(
        asker=services.subject_of(user),
        request=services.Request(job_id=key or uuid.uuid4(), kind="tests", about=about),
    )


@pytest.mark.django_db
class TestAsking:
    def test_the_same_key_gives_the_same_job(self, learner: User, kind: JobKind) -> None:
        key = uuid.uuid4()
        assert ask(learner, key=key) == ask(learner, key=key)
        run_tasks()
        assert ask(learner, key=key).state == Job.State.DONE
        assert DBTaskResult.objects.count() == 1

    def test_another_form_gives_the_job_that_is_under_way(self, learner: User, kind: JobKind) -> None:
        first = ask(learner, about="one")
        assert ask(learner, about="one") == first
        assert ask(learner, about="two") != first
        with translation.override("fr"):
            assert ask(learner, about="one") != first
        run_tasks()
        assert ask(learner, about="one") != first

    def test_nobody_takes_another_persons_key(
        self, learner: User, other_learner: User, kind: JobKind
    ) -> None:
        key = uuid.uuid4()
        ask(learner, key=key)
        with pytest.raises(NotFound):
            ask(other_learner, key=key)


@pytest.mark.django_db
class TestDoing:
    def test_it_is_done_once_however_often_the_task_runs(self, learner: User, kind: JobKind) -> None:
        job = ask(learner)
        for _ in range(2):
            run_job.call(str(job.pk))
        job.refresh_from_db()
        assert (job.state, job.tries, job.result) == (Job.State.DONE, 1, {"n": 1})
        with job.file.open("rb") as stored:
            assert stored.read() == b"made"

    def test_what_a_dead_worker_left_is_replaced(self, learner: User, kind: JobKind) -> None:
        job = ask(learner)
        # It had saved the file, and died before the row was written.
        with transaction.atomic():
            write_file(job=job, progress=Progress(job))
            transaction.set_rollback(True)
        run_tasks()
        job.refresh_from_db()
        folder = job.file.name.rpartition("/")[0]
        assert [name for name in private_storage().listdir(folder)[1] if job.file.name.endswith(name)]
        assert len([name for name in private_storage().listdir(folder)[1] if str(job.pk) in name]) == 1

    def test_a_refusal_is_told_in_the_persons_language(self, other_learner: User) -> None:
        def refuse(*, job: Job, progress: Progress) -> None:
            raise DomainError(translation.gettext("Nothing so far."))

        with kind_of_tests(run=refuse), translation.override("fr"):
            job = ask(other_learner)
            with translation.override("en"):
                run_tasks()
        job.refresh_from_db()
        assert (job.state, job.problem) == (Job.State.FAILED, "Rien jusqu’ici.")

    def test_a_fault_of_ours_is_told_and_fails_the_task(self, learner: User) -> None:
        def break_down(*, job: Job, progress: Progress) -> None:
            raise ZeroDivisionError

        with kind_of_tests(run=break_down):
            job = ask(learner)
            with pytest.raises(ZeroDivisionError):
                run_job.call(str(job.pk))
        job.refresh_from_db()
        assert job.state == Job.State.FAILED
        assert "Something went wrong on our side" in job.problem

    def test_a_worker_that_died_gives_it_back_and_the_second_gives_it_up(
        self, learner: User, kind: JobKind
    ) -> None:
        job = ask(learner)
        row = DBTaskResult.objects.get()
        states = []
        for worker in ("one", "two"):
            row.refresh_from_db()
            row.claim(worker)
            take_up(job.pk)
            DBTaskResult.objects.update(started_at=clock.now() - timedelta(hours=1))
            release_expired_tasks()
            job.refresh_from_db()
            states.append((job.state, job.tries))
        assert states == [(Job.State.WAITING, 1), (Job.State.FAILED, 2)]
        assert "stopped each time" in job.problem


@pytest.mark.django_db
class TestParts:
    @pytest.fixture
    def seen(self) -> Iterator[list[str]]:
        seen: list[str] = []

        def split(*, job: Job, progress: Progress) -> None:
            services.split_job(job=job, parts=[["a", "b"], ["c"]])

        def do(*, part: JobPart) -> dict[str, Any]:
            seen.extend(part.keys)
            if "c" in part.keys and part.job.about == "breaks":
                raise ZeroDivisionError
            return {"made": len(part.keys)}

        def gather(*, job: Job, parts: Any) -> dict[str, Any]:
            return {"made": sum(part.result.get("made", 0) for part in parts)}

        with kind_of_tests(run=split, part=do, gather=gather):
            yield seen

    def test_the_last_part_closes_the_job(self, learner: User, seen: list[str]) -> None:
        job = ask(learner)
        run_job.call(str(job.pk))
        # A second worker that takes the job up finds it cut, and cuts nothing.
        run_job.call(str(job.pk))
        assert DBTaskResult.objects.filter(task_path=run_job_part.module_path).count() == 2
        run_job_part.call(str(job.pk), 2)
        job.refresh_from_db()
        assert (job.state, job.done, job.total) == (Job.State.RUNNING, 1, 3)
        for _ in range(2):
            run_job_part.call(str(job.pk), 1)
        job.refresh_from_db()
        assert (job.state, job.done, job.total) == (Job.State.DONE, 3, 3)
        assert job.result == {"made": 3, "failed": 0}
        assert seen == ["c", "a", "b"]

    def test_a_part_that_fails_is_counted_and_the_others_go_on(self, learner: User, seen: list[str]) -> None:
        job = ask(learner, about="breaks")
        run_job.call(str(job.pk))
        with pytest.raises(ZeroDivisionError):
            run_job_part.call(str(job.pk), 2)
        run_job_part.call(str(job.pk), 1)
        job.refresh_from_db()
        assert (job.state, job.result) == (Job.State.DONE, {"made": 2, "failed": 1})
        part = JobPart.objects.get(job=job, number=1)
        assert close_part(part=part, result={}) is False

    def test_a_part_whose_workers_died_closes_the_job(self, learner: User, seen: list[str]) -> None:
        job = ask(learner)
        run_job.call(str(job.pk))
        run_job_part.call(str(job.pk), 1)
        DBTaskResult.objects.filter(task_path=run_job.module_path).delete()
        row = DBTaskResult.objects.get(args_kwargs__args__1=2)
        row.claim("one")
        row.claim("two")
        DBTaskResult.objects.filter(pk=row.pk).update(started_at=clock.now() - timedelta(hours=1))
        release_expired_tasks()
        job.refresh_from_db()
        assert (job.state, job.result) == (Job.State.DONE, {"made": 2, "failed": 1})

    def test_nothing_to_do_is_done_at_once(self, learner: User) -> None:
        def split(*, job: Job, progress: Progress) -> None:
            services.split_job(job=job, parts=[])

        with kind_of_tests(run=split):
            job = ask(learner)
            run_tasks()
        job.refresh_from_db()
        assert job.state == Job.State.DONE


@pytest.mark.django_db(transaction=True)
class TestProgress:
    def test_it_is_seen_while_the_work_is_still_undecided(self, learner: User) -> None:
        seen: list[tuple[int, int, str]] = []

        def work(*, job: Job, progress: Progress) -> None:
            other = connection.copy()
            with transaction.atomic():
                User.objects.filter(pk=learner.pk).update(name="Undecided")
                progress(done=3, total=10, doing="rows")
                progress(done=4, total=10, doing="rows")
                with other.cursor() as cursor:
                    cursor.execute(
                        "SELECT j.done, j.total, j.doing, u.name FROM accounts_job j, accounts_user u"
                    )
                    seen.extend(cursor.fetchall())
                other.close()
                transaction.set_rollback(True)
            services.finish_job(job=job)

        with kind_of_tests(run=work):
            ask(learner)
            database.run_tasks()
        # The second call came within the same second, and cost nothing.
        assert seen == [(3, 10, "rows", learner.name)]

    def test_a_row_that_is_locked_is_not_waited_for(self, learner: User, kind: JobKind) -> None:
        job = ask(learner)
        with transaction.atomic():
            Job.objects.select_for_update().get(pk=job.pk)
            progress = Progress(job)
            progress(done=1, total=2)
            progress.close()
        job.refresh_from_db()
        assert job.done == 0


@pytest.mark.django_db
class TestPage:
    def test_it_says_how_far_it_is_and_what_came_of_it(
        self, learner: User, kind: JobKind, sign_in: SignIn
    ) -> None:
        client = sign_in(learner)
        job = ask(learner)
        path = f"/en/my/jobs/{job.pk}/"
        waiting = client.get(path).content.decode()
        assert "It waits for its turn" in waiting
        assert '<noscript><meta http-equiv="refresh" content="2">' in waiting
        Job.objects.filter(pk=job.pk).update(state="running", done=12, total=200, tries=1)
        running = client.get(path).content.decode()
        assert '<progress max="200" value="12"' in running
        assert "12 of 200" in running
        Job.objects.filter(pk=job.pk).update(state="waiting")
        assert "The program that worked on it stopped." in client.get(path).content.decode()
        run_tasks()
        over = client.get(path).content.decode()
        assert "It came out well." in over
        assert "refresh" not in over
        assert "2 times, because" in over
        part = client.get(path, headers={"HX-Request": "true"}).content.decode()
        assert part.startswith('<div class="stack" data-job')
        assert read_body(client.get(f"{path}file/")) == b"made"

    def test_who_may_see_it(
        self,
        staff_may_enter: None,
        learner: User,
        other_learner: User,
        administrator: User,
        kind: JobKind,
        sign_in: SignIn,
    ) -> None:
        job = ask(learner)
        run_tasks()
        path = f"/en/my/jobs/{job.pk}/"
        stranger, admin = sign_in(other_learner), sign_in(administrator)
        assert stranger.get(path).status_code == 404
        assert stranger.get(f"{path}file/").status_code == 404
        page = admin.get(path).content.decode()
        assert learner.name in page
        assert "made.txt" not in page
        assert admin.get(f"{path}file/").status_code == 404
        assert "A job of the tests" in admin.get("/admin/jobs/").content.decode()
        assert admin.get(f"/admin/jobs/{job.pk}/").status_code == 200

    @pytest.mark.parametrize("path", ["/en/my/jobs/", "/admin/jobs/"])
    def test_lists_cost_the_same_however_long(
        self, staff_may_enter: None, administrator: User, kind: JobKind, sign_in: SignIn, path: str
    ) -> None:
        client = sign_in(administrator)

        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            return len(queries)

        ask(administrator)
        count()
        one = count()
        for number in range(12):
            ask(administrator, about=str(number))
        assert count() == one

    def test_a_kind_that_is_gone_is_shown_still(self, learner: User, sign_in: SignIn) -> None:
        with kind_of_tests(run=write_file):
            job = ask(learner)
        page = sign_in(learner).get(f"/en/my/jobs/{job.pk}/").content.decode()
        assert "A job of an earlier version of the site" in page


@pytest.mark.django_db
class TestForgetting:
    def test_a_file_goes_after_a_week_and_the_row_after_three_months(
        self, learner: User, kind: JobKind, sign_in: SignIn, django_capture_on_commit_callbacks: Any
    ) -> None:
        job = ask(learner)
        run_tasks()
        job.refresh_from_db()
        name = job.file.name
        client = sign_in(learner)
        with clock.set_to(clock.now() + timedelta(days=6)):
            assert forget_old_jobs() == 0
        with clock.set_to(clock.now() + timedelta(days=8)):
            # Past its time it is not given out, whether or not it was deleted yet.
            assert client.get(f"/en/my/jobs/{job.pk}/file/").status_code == 404
            with django_capture_on_commit_callbacks(execute=True):
                assert forget_old_jobs() == 1
            assert "Its file was deleted." in client.get(f"/en/my/jobs/{job.pk}/").content.decode()
        assert not private_storage().exists(name)
        with clock.set_to(clock.now() + timedelta(days=91)):
            assert forget_old_jobs() == 1
        assert not Job.objects.exists()

    def test_it_goes_with_the_person(
        self, learner: User, kind: JobKind, django_capture_on_commit_callbacks: Any
    ) -> None:
        job = ask(learner)
        run_tasks()
        job.refresh_from_db()
        with django_capture_on_commit_callbacks(execute=True):
            services.erase_person(subject=services.subject_of(learner), requested_by=None)
        assert not Job.objects.exists()
        assert not private_storage().exists(job.file.name)
        # What still waited in the queue for it does nothing.
        run_job.call(str(job.pk))

    def test_my_data_says_what_one_asked(self, learner: User, kind: JobKind, sign_in: SignIn) -> None:
        ask(learner)
        page = sign_in(learner).get("/en/my/data/").content.decode()
        assert "What you asked of the site" in page
