"""Who gets what at every address of the site, by every method: one row an address.

The rows are compared with the URL configuration, so that an address without a row fails, and so does a row without an
address. French has the same views as English (`i18n_patterns`), so `/en/` stands for both.

A row is a name, what stands for the parts of its address (objects of `World`), and what is answered to GET and to POST:
one letter for everyone, two (signed out, signed in), three (signed out, the learner whose object it is, everybody
else), or one for each of `ROLES` in that order. HEAD answers as GET does. What is not GET, HEAD or POST is refused.

2 the page or file   r led on to where it belongs   i told what was wrong with what was sent
s led to the log-in  f led to set up a second factor  a asked who one is, once more
3 refused, 403   h refused by the CMS, which leads to its first page and says why   4 not there   5 no such method
"""

from __future__ import annotations

import copy
from typing import Any, Final

import pytest
from django.db import transaction

from tests.config.routes import ROLES, Route, World, list_routes

ROUTES: Final = r"""
# The site itself
healthz                                  | -                                     | 2              | 5
readyz                                   | -                                     | 2              | 5
security_txt                             | -                                     | 2              | 5
set_language                             | -                                     | r              | r
wagtaildocs_serve                        | -                                     | 4              | 4
wagtaildocs_authenticate_with_password   | -                                     | 4              | 4
/favicon.ico                             | -                                     | r              | 5
/^media/(?P<path>images/[\w.-]+)$        | path=picture                          | 2              | 5
/en/_util/login/                         | -                                     | s              | 5
wagtailcore_authenticate_with_password   | -                                     | 4              | 4
wagtailcore_login                        | -                                     | s              | 5
wagtail_serve                            | -                                     | 2              | 2

# Signing in, and the account (allauth)
account_login                            | -                                     | 2rrrrrrrrrrrfr | 2rrrrrrrrrrrfr
account_logout                           | -                                     | r2             | r
account_inactive                         | -                                     | 2              | 5
account_signup                           | -                                     | 2rrrrrrrrrrrfr | 2rrrrrrrrrrrfr
account_reauthenticate                   | -                                     | s2             | s2
account_email                            | -                                     | s2             | sr
account_email_verification_sent          | -                                     | 2              | 5
account_change_password                  | -                                     | s2             | s2
account_set_password                     | -                                     | sr             | sr
account_reset_password                   | -                                     | 2              | 2
account_confirm_login_code               | -                                     | srrrrrrrrrrrfr | srrrrrrrrrrrfr
account_confirm_email                    | key                                   | 2              | 4
account_reset_password_from_key_done     | -                                     | 2              | 5
account_reset_password_from_key          | -                                     | 2              | 2
account_reset_password_done              | -                                     | 2              | 5
mfa_index                                | -                                     | s2             | s5
mfa_authenticate                         | -                                     | srrrrrrrrrrrfr | srrrrrrrrrrrfr
mfa_reauthenticate                       | -                                     | saaaaa22aaa2a2 | saaaaa22aaa2a2
mfa_activate_totp                        | -                                     | sa             | sa
mfa_deactivate_totp                      | -                                     | s44444aa444a4a | s44444aa444a4a
mfa_view_recovery_codes                  | -                                     | s4             | s5
mfa_generate_recovery_codes              | -                                     | sa             | sa
mfa_download_recovery_codes              | -                                     | s4             | s4
usersessions_list                        | -                                     | s2             | sr

# The account (ours)
accounts:profile                         | -                                     | s2             | s2
accounts:session_end                     | key=device                            | s5             | sr4
accounts:data                            | -                                     | s2             | s5
accounts:data_download                   | -                                     | 5              | sr
accounts:jobs                            | -                                     | s2             | s5
accounts:job                             | key=job                               | s2444444444442 | s5
accounts:job_file                        | key=job                               | s4             | s5
accounts:consent_withdraw                | key=consent                           | s5             | sr4
accounts:text_erase                      | key=text                              | s24            | sr4
accounts:erase                           | -                                     | s2             | s2
accounts:erased                          | -                                     | 2r             | 5
accounts:file                            | key=file                              | s2442444444444 | s5

# Home and search
cms:my                                   | -                                     | s2             | 5
cms:search                               | -                                     | 2              | 5
cms:switch_language                      | language                              | r              | 5

# The standards
standards:index                          | -                                     | 2              | 5
standards:competency                     | competency_id=competency              | 2              | 5
standards:framework                      | slug=framework                        | r              | 5
standards:edition                        | slug=framework number=one             | 2              | 5
standards:changes                        | slug=framework number=one other=one   | 4              | 5
standards:domain                         | slug=framework number=one code        | 2              | 5

# CASE
case:package                             | identifier=package                    | 2              | 5
case:document                            | identifier=package                    | 2              | 5
case:item                                | identifier=case_item                  | 2              | 5
case:association                         | identifier=association                | 2              | 5

# Files of editions
modules:asset                            | name=asset                            | 2              | 5

# Courses: the catalogue, the learner’s screens, the desk
lms:catalogue                            | -                                     | 2              | 5
lms:course                               | course                                | 2              | 5
lms:book                                 | edition=course_edition                | s2242424344442 | 5
lms:enrol                                | course offering                       | srr22222222222 | srr22222222222
lms:public_lesson                        | course step=reading                   | 2              | 5
lms:competencies                         | -                                     | s2             | 5
lms:competency_domain                    | domain                                | s2244444444444 | 5
lms:notice                               | notice                                | s5             | sr4
lms:enrolment_name                       | enrolment                             | s24            | s24
lms:enrolment_withdraw                   | enrolment=begun                       | s24            | s24
lms:enrolment                            | enrolment                             | s24            | 5
lms:step                                 | enrolment step=reading                | s24            | si4
lms:worksheet                            | enrolment step=reading part           | s24            | 5
lms:worksheet_pdf                        | enrolment step=reading part           | s24            | 5
lms:attempt                              | enrolment=begun step=quiz attempt=running | sr4            | 5
lms:question                             | enrolment=begun step=quiz attempt=running number=one | s24            | si4
lms:attempt_review                       | enrolment=begun step=quiz attempt=running | s24            | sr4
lms:result                               | enrolment step=quiz attempt=submitted | s24            | 5
lms:file                                 | enrolment step=work_step file         | s24            | 5
lms:offerings                            | -                                     | s22222222222f2 | 5
lms:offering                             | offering                              | s33424443444f2 | 5
lms:offering_export                      | offering                              | 555555555555f5 | s334r4443444fr
lms:marking                              | offering                              | s33424443444f2 | 5
lms:mark                                 | offering attempt=work                 | s33424443444f2 | s33424443444f2
lms:learner                              | offering enrolment                    | s33424443444f2 | 5
lms:learner_attempt                      | offering enrolment attempt=submitted  | s33424443444f2 | 5
lms:learner_withdraw                     | offering enrolment                    | s33424443444f2 | s33424443444f2
lms:learner_reinstate                    | offering=left_offering enrolment=left | s34424443444f2 | s34424443444f2
lms:learner_extend                       | offering enrolment                    | s33424443444f2 | s33424443444f2
lms:learner_grant                        | offering enrolment                    | s33424443444f2 | s33424443444f2

# Certificates: checking, and the holder’s own
certificates:check                       | -                                     | 2              | 5
certificates:check_many                  | -                                     | s3333333rr3r3r | s3333333223232
certificates:cohorts                     | -                                     | s3333333223232 | s3333333553535
certificates:countersign                 | key=certificate                       | s3333333233333 | s3333333233333
certificates:mine                        | -                                     | s2             | s5
certificates:holder                      | key=certificate                       | s24            | s54
certificates:picture                     | key=certificate                       | s24            | s54
certificates:consent                     | key=certificate                       | s54            | sr4
certificates:make_link                   | key=certificate                       | s54            | sr4
certificates:close_link                  | key=certificate link                  | s54            | sr4
certificates:correct                     | key=certificate                       | s24            | s24

# Certificates: what is printed and kept for ever
certificates_public:certificate          | key=certificate                       | 2              | 5
certificates_public:credential           | key=certificate                       | 32333333233232 | 5
certificates_public:pdf                  | key=certificate                       | s2333333233232 | 5
certificates_public:achievement          | key=achievement                       | r              | 5
certificates_public:status_list          | number=zero                           | 2              | 5
certificates_public:did                  | -                                     | 2              | 5

# The API. Somebody signed out is refused, since a program has no use for a page to sign in on.
api_schema                               | -                                     | 22222222222232 | 55555555555535
api_courses                              | -                                     | 22222222222232 | 55555555555535
api_course                               | slug=course                           | 22222222222232 | 55555555555535
api_my_enrolments                        | -                                     | 32222222222232 | 35555555555535
api_my_standing                          | -                                     | 32222222222232 | 35555555555535
api_my_certificates                      | -                                     | 32222222222232 | 35555555555535
api_offerings                            | -                                     | 32222222222232 | 35555555555535
api_learners                             | slug=offering                         | 33342444344432 | 35555555555535
api_checks                               | -                                     | 33333333553535 | 33333333ii3i3i
api_verification                         | reference=number                      | 22222222222232 | 55555555555535
api_unknown                              | -                                     | 4              | 4

# The demo
demo:cast                                | -                                     | 2              | 5
demo:sign_in                             | -                                     | 5              | 4
demo:mails                               | -                                     | 2              | 5
demo:mail                                | name=mail                             | 4              | 5

# The CMS: certificates
certificates_admin:list                  | -                                     | sssssshhsss2f2 | sssssshhsss5f5
certificates_admin:due                   | -                                     | sssssshhsss2f2 | sssssshhsssrfr
certificates_admin:show                  | key=certificate                       | sssssshhsss2f2 | sssssshhsss5f5
certificates_admin:revoke                | key=certificate                       | sssssshhsssafa | sssssshhsssafa
certificates_admin:reinstate             | key=revoked                           | sssssshhsssafa | sssssshhsssafa
certificates_admin:reissue               | key=certificate                       | sssssshhsssafa | sssssshhsssafa
certificates_admin:close_request         | key=request                           | sssssshhsss5f5 | sssssshhsssrfr

# The CMS: people
accounts_admin:people                    | -                                     | sssssshhssshf2 | sssssshhssshf5
accounts_admin:person                    | key=person                            | sssssshhssshf2 | sssssshhssshf5
accounts_admin:grant                     | key=person                            | sssssshhssshfa | sssssshhssshfa
accounts_admin:place_hold                | key=person                            | sssssshhssshfa | sssssshhssshfa
accounts_admin:reset_factor              | key=person                            | sssssshhssshfa | sssssshhssshfa
accounts_admin:end                       | key=role                              | sssssshhssshfa | sssssshhssshfa
accounts_admin:holds                     | -                                     | sssssshhssshf2 | sssssshhssshf5
accounts_admin:lift_hold                 | key=hold                              | sssssshhssshf5 | sssssshhssshfa
accounts_admin:audit                     | -                                     | sssssshhssshf2 | sssssshhssshf5
accounts_admin:jobs                      | -                                     | sssssshhssshf2 | sssssshhssshf5
accounts_admin:job                       | key=job                               | ssssss44sss4f2 | ssssss55sss5f5
lms_admin:newer_edition                 | pk=offering_pk                        | sssssshhssshf2 | sssssshhssshfr
lms_admin:unsent_mail                    | -                                     | sssssshhssshf2 | sssssshhssshfr

# The CMS: courses
modules_admin:courses                    | -                                     | ssssss2hssshf2 | ssssss55sss5f5
modules_admin:issue                      | page_id=page                          | ssssss2hssshf2 | ssssss2hssshf2
modules_admin:editions                   | page_id=page                          | ssssss2hssshf2 | ssssss55sss5f5
modules_admin:coverage                   | page_id=page                          | ssssss2hssshf2 | ssssss55sss5f5
modules_admin:copy                       | page_id=page                          | ssssss2hssshf2 | ssssss2hssshf2

# The CMS: items
assessments_admin:check                  | model_name=item_kind pk=item          | ssssss24sss4f2 | ssssss55sss5f5

# The CMS: standards
standards_admin:editions                 | -                                     | ssssssh2ssshf2 | ssssss55sss5f5
standards_admin:status                   | key=issued                            | sssssshrssshfr | sssssshrssshfr
standards_admin:issue                    | page_id=framework_page                | ssssssh2ssshf2 | ssssssh2ssshf2
"""

# What is not ours is in the CMS, and is grouped: by its name space, with what authors, the committee, certificates
# officers and administrators are answered at the first of its addresses that names no object. Everyone else gets into
# nothing of the CMS, ours or not; that is asked at every address.
CMS_SPACES: Final = {
    "login": "ssss",
    "": "2222",
    "test404": "2222",
    "wagtailadmin_api:pages": "2222",
    "wagtailadmin_api:documents": "2222",
    "wagtailadmin_api:images": "2222",
    # It fails on purpose, so that an operator sees how failures are reported.
    "failwhale": "500500500500",
    "pages": "22h2",
    "bulk": "-",
    "wagtailadmin_pages": "22h2",
    "choose-page": "2222",
    "choose-external-link": "2222",
    "choose-email-link": "2222",
    "choose-phone-link": "2222",
    "choose-anchor-link": "2222",
    "tag-autocomplete": "2222",
    "wagtailadmin_collections": "hhhh",
    "wagtailadmin_workflows": "hhhh",
    "wagtailadmin_reports": "hhh2",
    "account": "2222",
    "logout": "5555",
    "dismissibles": "2222",
    "wagtailadmin_editing_sessions": "-",
    "block-preview": "4444",
    "documents": "-",
    "images": "-",
    "localize": "-",
    "wagtail_localize": "2222",
    "wagtailforms": "22h2",
    "wagtailredirects": "hhhh",
    "wagtailsettings": "-",
    "wagtailembeds": "2222",
    "wagtailsnippets": "22h2",
    "wagtaildocs": "2hh2",
    "wagtailimages": "2hh2",
    "wagtailsnippets_assessments_item": "2hh2",
    "wagtailsnippetchoosers_assessments_item": "2222",
    "wagtailsnippets_assessments_assessment": "2hh2",
    "wagtailsnippetchoosers_assessments_assessment": "2222",
    "wagtailsnippets_standards_source": "22h2",
    "wagtailsnippetchoosers_standards_source": "2222",
    "offerings": "hhh2",
    "competency_chooser": "2222",
    "organizations": "hhh2",
    "wagtaillocales": "hhhh",
    "wagtailsites": "hhhh",
    "wagtailusers_users": "hhhh",
    "wagtailusers_groups": "hhhh",
    "wagtaildocs_chooser": "2222",
    "wagtailimages_chooser": "2222",
    "sprite": "2222",
    "password_reset": "4444",
    "jsi18n": "2222",
    "^.*": "4444",
}
# Addresses of the CMS that say nothing of anybody, which its log-in page once needed, and those that only fail.
CMS_OPEN: Final = {
    "wagtailadmin_sprite",
    "wagtailadmin_javascript_catalog",
    "wagtailadmin_password_reset",
    "wagtailadmin_password_reset_done",
    "wagtailadmin_password_reset_confirm",
    "wagtailadmin_password_reset_complete",
    "/admin/^.*/$",
}

# Asked where a letter stands for many.
SAMPLE: Final = ("out", "lrn", "str", "adm")
REFUSED: Final = "s34hfa"


def _read_rows() -> dict[str, tuple[str, str, str]]:
    rows = {}
    for line in ROUTES.strip().splitlines():
        if line.strip() and not line.startswith("#"):
            name, words, got, posted = (cell.strip() for cell in line.rsplit(" | ", 3))
            assert name not in rows, f"{name} has two rows."
            rows[name] = (words.removeprefix("-"), got, posted)
    return rows


ROWS: Final = _read_rows()
ADDRESSES: Final = {route.name: route for route in list_routes()}


def is_of_the_cms(route: Route) -> bool:
    """Whether the table gives it by its name space: what Wagtail made, our lists in it included."""
    return route.pattern.startswith("admin/") and not route.name.split(":")[0].endswith("_admin")


def expect(word: str) -> dict[str, str]:
    """What a word of the table says for each role, of which those that it names by a group are sampled."""
    codes = list(ROLES)
    if len(word) == len(codes):
        return dict(zip(codes, word, strict=True))
    if len(word) == 3:
        return {code: word[min(place, 2)] for place, code in enumerate(codes)}
    assert len(word) in (1, 2), word
    return {code: word[0] if code == "out" else word[-1] for code in SAMPLE}


def read(answer: Any) -> str:
    """The letter of an answer; its number where none fits."""
    if answer.streaming:
        assert all(isinstance(part, bytes) for part in answer.streaming_content)
    if answer.status_code in (301, 302):
        goal = answer["Location"]
        for part, letter in (
            ("/accounts/login/", "s"),
            ("/2fa/totp/activate/", "f"),
            ("/reauthenticate/", "a"),
        ):
            if part in goal:
                return letter
        return "h" if goal == "/admin/" else "r"
    letters = {200: "2", 400: "i", 415: "i", 422: "i", 403: "3", 404: "4", 405: "5"}
    return letters.get(answer.status_code, str(answer.status_code))


def ask(world: World, code: str, method: str, path: str, **values: Any) -> Any:
    """One request in one person's browser, of which nothing is left afterwards."""
    client = world.clients[code]
    cookies = copy.deepcopy(client.cookies)
    with transaction.atomic():
        answer = getattr(client, method)(path, **values)
        letter = read(answer)
        transaction.set_rollback(True)
    client.cookies = cookies
    answer.letter = letter
    return answer


def compare(world: World, path: str, method: str, word: str) -> list[str]:
    """What the row says and was not so."""
    wrong = []
    for code, letter in expect(word).items():
        got = ask(world, code, method, path).letter
        if got != letter:
            wrong.append(f"{method.upper()} {path} by {code} ({ROLES[code]}): {got}, not {letter}")
    return wrong


def test_every_address_has_a_row() -> None:
    ours = {name for name, route in ADDRESSES.items() if not is_of_the_cms(route)}
    assert ours - set(ROWS) == set(), "An address without a row: say here who may open it."
    assert set(ROWS) - ours == set(), "A row without an address."
    spaces = {space_of(route) for route in ADDRESSES.values() if is_of_the_cms(route)}
    assert spaces == set(CMS_SPACES)


def space_of(route: Route) -> str:
    """The name space of an address of the CMS; without one, the first part of its path."""
    return (
        route.name.rpartition(":")[0]
        if ":" in route.name and not route.name.startswith("/")
        else route.pattern.split("/")[1]
    )


def test_what_we_answer_ourselves_is_not_grouped() -> None:
    """A view of our own in the CMS has a row, unless it is one of a list that Wagtail's own rules guard."""
    lists = {"viewsets", "wagtail_hooks", "translating"}
    for route in ADDRESSES.values():
        if is_of_the_cms(route) and route.is_ours:
            view: Any = getattr(route.view, "view_class", route.view)
            assert view.__module__.rpartition(".")[2] in lists, route


@pytest.mark.parametrize("name", ROWS)
def test_everybody_gets_what_the_table_says(world: World, name: str) -> None:
    words, got, posted = ROWS[name]
    path = world.path(ADDRESSES[name].pattern, words)
    wrong = compare(world, path, "get", got) + compare(world, path, "post", posted)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ROWS)
def test_other_methods_answer_as_they_should(world: World, name: str) -> None:
    words, got, posted = ROWS[name]
    path = world.path(ADDRESSES[name].pattern, words)
    wrong = []
    head = ask(world, "lrn", "head", path)
    if head.letter not in (expect(got)["lrn"], "5") or (not head.streaming and head.content):
        wrong.append(f"HEAD {path}: {head.letter}, not {expect(got)['lrn']}")
    for code in ("out", "lrn", "adm"):
        refusal = {expect(got)[code]} & set(REFUSED)
        # The form views of Django, which are not ours, take PUT as POST.
        form = {expect(posted)[code]} if not ADDRESSES[name].is_ours else set()
        for method in ("put", "patch", "delete"):
            letter = ask(world, code, method, path).letter
            if letter not in {"5"} | refusal | form:
                wrong.append(f"{method.upper()} {path} by {code}: {letter}")
    assert not wrong, "\n".join(wrong)


class TestCms:
    """Wagtail's own screens."""

    def test_nobody_enters_without_a_role_for_it(self, world: World) -> None:
        """Every address of the CMS, one after the other: those who have no business there learn nothing."""
        wrong = []
        for route in ADDRESSES.values():
            if not route.pattern.startswith("admin/") or route.name in CMS_OPEN:
                continue
            path = world.path(route.pattern, "")
            for code, method, letter in (
                ("out", "post", "s"),
                ("str", "get", "s"),
                ("str", "post", "s"),
                ("ad0", "get", "f"),
            ):
                got = ask(world, code, method, path).letter
                # A method that nobody may use may be refused before anyone is asked who they are.
                if got not in (letter, "5"):
                    wrong.append(f"{method.upper()} {path} by {code}: {got}")
        assert not wrong, "\n".join(wrong)

    @pytest.mark.parametrize("code", ["lrn", "ins", "reg", "coo"])
    def test_no_other_role_enters(self, world: World, code: str) -> None:
        for space in ("admin/", "admin/pages/", "admin/offerings/", "admin/people/", "admin/certificates/"):
            assert ask(world, code, "get", f"/{space}").letter == "s", space

    @pytest.mark.parametrize("space", CMS_SPACES)
    def test_each_role_enters_its_own(self, world: World, space: str) -> None:
        word = CMS_SPACES[space]
        path = next(
            (
                world.path(route.pattern, "")
                for route in ADDRESSES.values()
                if is_of_the_cms(route) and space_of(route) == space and "<" not in route.pattern
            ),
            None,
        )
        if path is None:
            assert word == "-", f"{space} has no address without an object; its row is “-”."
            return
        got = "".join(ask(world, code, "get", path).letter for code in ("aut", "com", "off", "adm"))
        assert got == word, path
