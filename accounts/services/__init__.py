"""Writes about people: their accounts, words, consents, roles, the audit log, and their erasure.

One file a noun; import from here.
"""

from accounts.services.audit import record_audit
from accounts.services.consents import give_consent, withdraw_consent
from accounts.services.erasure import erase_person, replay_erased, replay_erasures
from accounts.services.erasure_list import (
    ErasedThings,
    ErasureRequest,
    NotAnErasure,
    append_to_journal,
    list_erased,
    list_erasures,
    parse_erased,
    read_erased,
    read_journal,
)
from accounts.services.holds import lift_hold, place_hold
from accounts.services.jobs import (
    Request,
    ask_job,
    discard_job_files,
    fail_job,
    find_asked,
    finish_job,
    forget_jobs_of,
    split_job,
)
from accounts.services.people import (
    announce_registration,
    choose_notices,
    register_person,
    subject_of,
    update_profile,
)
from accounts.services.roles import LastAdministrator, end_role, grant_role
from accounts.services.second_factor import reset_second_factor
from accounts.services.texts import (
    ERASABLE_ALONE,
    LONGEST_TEXT,
    HeldByLaw,
    ask_texts,
    discard_files,
    erase_text,
    find_new_uploads,
    make_text,
    read_texts,
    save_file,
    save_files,
    save_text,
    text_digest,
    write_text,
)

__all__ = [
    "ERASABLE_ALONE",
    "LONGEST_TEXT",
    "ErasedThings",
    "ErasureRequest",
    "HeldByLaw",
    "LastAdministrator",
    "NotAnErasure",
    "Request",
    "announce_registration",
    "append_to_journal",
    "ask_job",
    "ask_texts",
    "choose_notices",
    "discard_files",
    "discard_job_files",
    "end_role",
    "erase_person",
    "erase_text",
    "fail_job",
    "find_asked",
    "find_new_uploads",
    "finish_job",
    "forget_jobs_of",
    "give_consent",
    "grant_role",
    "lift_hold",
    "list_erased",
    "list_erasures",
    "make_text",
    "parse_erased",
    "place_hold",
    "read_erased",
    "read_journal",
    "read_texts",
    "record_audit",
    "register_person",
    "replay_erased",
    "replay_erasures",
    "reset_second_factor",
    "save_file",
    "save_files",
    "save_text",
    "split_job",
    "subject_of",
    "text_digest",
    "update_profile",
    "withdraw_consent",
    "write_text",
]
