"""Fills a site of a fault test: a course of two lessons and a quiz, and so many learners who are signed in.

``python -m tests.faults.fill_site COUNT`` prints ``[{"enrolment", "session"}]``.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django
    from django.conf import settings

    django.setup()
    # Nobody signs in by password here, and a real one takes half a second to make.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    from django.test import Client

    from tests.factories.accounts import make_user
    from tests.factories.assessments import make_quiz
    from tests.factories.lms import (
        make_assessed,
        make_course_edition,
        make_enrolment,
        make_lesson,
        make_offering,
        make_reflection,
    )

    modules = [
        [
            make_lesson("one", parts=[make_reflection()]),
            make_lesson("two"),
            make_assessed("quiz", make_quiz()),
        ]
    ]
    offering = make_offering(edition=make_course_edition(modules=modules))
    cast = []
    for number in range(int(sys.argv[1])):
        user = make_user(name=f"Persona Numéro {number}")
        client = Client()
        client.force_login(user, backend="accounts.backends.PersonBackend")
        enrolment = make_enrolment(user=user, offering=offering)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        cast.append({"enrolment": str(enrolment.pk), "session": session})
    print(json.dumps(cast))


if __name__ == "__main__":
    main()
