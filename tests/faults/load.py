"""People who learn while the site breaks: they send again what was not acknowledged, and note what was."""

from __future__ import annotations

import http.client
import random
import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

CSRF = "c" * 32
# An acknowledgement that does not come within this time will not come any more.
LONGEST_SECONDS = 90.0
CALM = {
    "en": "cannot reach its records just now",
    "fr": "ne peut pas joindre ses dossiers",
}


@dataclass
class Notes:
    """What all of them saw; safe among threads, since lists are only added to."""

    reflections: list[tuple[str, str, str]] = field(default_factory=list)
    answers: list[tuple[str, str, str]] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    # Answers that nobody should get.
    wrong: list[str] = field(default_factory=list)
    calm: int = 0
    broken_lines: int = 0
    acknowledged: int = 0

    def to_json(self) -> dict[str, Any]:
        return {"reflections": self.reflections, "answers": self.answers, "finished": self.finished}


class Person:
    """One learner in one browser."""

    def __init__(self, *, port: int, enrolment: str, session: str, notes: Notes) -> None:
        self.port = port
        self.enrolment = enrolment
        self.cookies = f"sessionid={session}; csrftoken={CSRF}"
        self.notes = notes

    def send(
        self, path: str, data: dict[str, str] | None = None, *, autosave: bool = False
    ) -> tuple[int, dict[str, str], str]:
        """One request. OSError and HTTPException where the line breaks."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {
            "Cookie": self.cookies,
            "X-CSRFToken": CSRF,
            "Accept": "application/json" if autosave else "text/html",
        }
        try:
            if data is None:
                line.request("GET", path, headers=headers)
            else:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
                line.request("POST", path, body=urlencode(data), headers=headers)
            answer = line.getresponse()
            body = answer.read().decode(errors="replace")
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body
        finally:
            line.close()

    def insist(self, path: str, data: dict[str, str] | None = None, *, autosave: bool = False) -> str:
        """Send until it is acknowledged; where it leads, or what it says."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            try:
                status, headers, body = self.send(path, data, autosave=autosave)
            except (OSError, http.client.HTTPException):
                self.notes.broken_lines += 1
            else:
                if status in {200, 302}:
                    self.notes.acknowledged += 1
                    return headers.get("location", body)
                self.judge(path, status, headers, body, autosave=autosave)
            time.sleep(random.uniform(0.1, 0.4))
        raise AssertionError(f"{path} was not acknowledged within {LONGEST_SECONDS:.0f} seconds.")

    def judge(self, path: str, status: int, headers: dict[str, str], body: str, *, autosave: bool) -> None:
        """A refusal is calm, in the person's language, and says when to come again; everything else is wrong."""
        language = path.split("/")[1]
        calm = '"unavailable"' in body if autosave else CALM[language] in body
        if status == 503 and calm and "retry-after" in headers and "Traceback" not in body:
            self.notes.calm += 1
        else:
            self.notes.wrong.append(f"{path}: {status} {body[:300]}")

    # --- What they do ---------------------------------------------------------------------------------------------

    def address(self, rest: str = "") -> str:
        return f"/{random.choice(('en', 'fr'))}/learn/{self.enrolment}/{rest}"

    def write(self, *, number: int) -> None:
        """Save a reflection, as autosave does."""
        client_id, words = str(uuid.uuid4()), f"Thought {number} of {self.enrolment}"
        data = {"part": "council", "field": "text", "value": words, "client_id": client_id}
        self.insist(self.address("one/"), data, autosave=True)
        self.notes.reflections.append((self.enrolment, client_id, words))

    def learn(self) -> None:
        """The whole course, to its end."""
        self.insist(self.address())
        self.insist(self.address("one/"))
        for number in range(3):
            self.write(number=number)
        for step in ("one", "two"):
            self.insist(self.address(f"{step}/"), {"do": "complete", "client_id": str(uuid.uuid4())})
        begun = self.insist(self.address("quiz/"), {"do": "start", "client_id": str(uuid.uuid4())})
        found = re.search(r"attempts/([0-9a-f-]{36})/", begun)
        assert found, begun
        attempt = found[1]
        for number in (1, 2, 3, 4):
            for choice in ("left", "right"):
                client_id = str(uuid.uuid4())
                data = {"field": "choice", "value": choice, "client_id": client_id}
                self.insist(self.address(f"quiz/attempts/{attempt}/{number}/"), data, autosave=True)
                self.notes.answers.append((self.enrolment, client_id, choice))
        self.insist(self.address(f"quiz/attempts/{attempt}/review/"), {"client_id": str(uuid.uuid4())})
        self.insist(self.address(f"quiz/attempts/{attempt}/result/"))
        self.notes.finished.append(self.enrolment)


class Crowd:
    """Several people at once: some go through the course one after another, some only write."""

    def __init__(self, *, port: int, cast: list[dict[str, str]], pause: float) -> None:
        self.notes = Notes()
        self.stopped = threading.Event()
        self.failed: list[BaseException] = []
        self.pause = pause
        people = [Person(port=port, notes=self.notes, **one) for one in cast]
        # Two write all the time.
        self._writers, self._learners = people[:2], people[2:]
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._guard, args=(self._learn,)) for _ in range(2)]
        self._threads += [
            threading.Thread(target=self._guard, args=(self._write, person)) for person in self._writers
        ]

    def _guard(self, act: Any, *given: Any) -> None:
        try:
            act(*given)
        except BaseException as error:
            self.failed.append(error)

    def _learn(self) -> None:
        while not self.stopped.is_set():
            with self._lock:
                person = self._learners.pop() if self._learners else None
            if person is None:
                return
            person.learn()
            self.stopped.wait(self.pause)

    def _write(self, person: Person) -> None:
        person.insist(person.address("one/"))
        number = 0
        while not self.stopped.is_set():
            number += 1
            person.write(number=number)
            self.stopped.wait(0.05)

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopped.set()
        for thread in self._threads:
            thread.join()
