"""Prepared queries give what the queryset gives, related objects in place."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db.models import F, TextField, Value

from accounts.models import PersonalText, Role, User
from accounts.services import subject_of
from core.prepared import PreparedQuery, given_text, given_uuid, is_among


def fields_of(row: Any) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_the_objects_are_those_of_the_queryset(
    instructor: User, learner: User, django_assert_num_queries: Any
) -> None:
    prepared = PreparedQuery(
        lambda: Role.objects.filter(what=given_text("what")).order_by("pk"),
        joined=("organization", "user", "user__subject"),
    )
    wanted = list(
        Role.objects.filter(what=Role.What.INSTRUCTOR)
        .select_related("organization", "user__subject")
        .order_by("pk")
    )
    assert wanted
    with django_assert_num_queries(1):
        found = prepared.objects(what=Role.What.INSTRUCTOR)
        assert [fields_of(row) for row in found] == [fields_of(row) for row in wanted]
        assert [fields_of(row.organization) for row in found] == [
            fields_of(row.organization) for row in wanted
        ]
        assert [fields_of(row.user.subject) for row in found] == [
            fields_of(row.user.subject) for row in wanted
        ]
    # Another value, the same SQL.
    assert prepared.objects(what="nothing") == []


def test_a_relation_that_is_not_there_is_none(db: None, django_assert_num_queries: Any) -> None:
    user = User.objects.create_user("nobody@pine-creek.example", "maple canoe lantern", name="No Subject")
    prepared = PreparedQuery(lambda: User.objects.filter(pk=given_uuid("person")), joined=("subject",))
    found = prepared.first(person=user.pk)
    assert found is not None
    with django_assert_num_queries(0), pytest.raises(User.subject.RelatedObjectDoesNotExist):
        assert found.subject


def test_a_file_is_made_of_its_name_when_it_is_asked_for(learner: User) -> None:
    subject = subject_of(learner)
    PersonalText.objects.create(subject=subject, kind=PersonalText.Kind.ANSWER, text="No file.")
    sent = PersonalText(subject=subject, kind=PersonalText.Kind.UPLOAD)
    sent.file.save("sent.txt", ContentFile(b"Nine break-ins."))
    prepared = PreparedQuery(
        lambda: PersonalText.objects.filter(subject_id=given_uuid("subject")).order_by("created_at")
    )
    plain, found = prepared.objects(subject=subject.pk)
    assert not plain.file
    assert found.file.name == sent.file.name
    assert found.file.storage is sent.file.storage
    with found.file.open() as file:
        assert file.read() == b"Nine break-ins."
    found.file.delete(save=True)
    assert not PersonalText.objects.get(pk=sent.pk).file


def test_several_keys_some_columns_and_an_annotation(instructor: User, learner: User, author: User) -> None:
    users = list(User.objects.order_by("email")[:3])
    prepared = PreparedQuery(
        lambda: User.objects.filter(is_among("id", "keys")).annotate(address=F("email")).order_by("email"),
        fields=("id", "name"),
        extra=("address",),
    )
    found = prepared.objects(keys=[users[0].pk, users[2].pk, uuid.uuid4()])
    assert [(row.pk, row.name, row.address) for row in found] == [  # type: ignore[attr-defined]
        (users[0].pk, users[0].name, users[0].email),
        (users[2].pk, users[2].name, users[2].email),
    ]
    assert "password" in found[0].get_deferred_fields()


def test_rows_are_the_columns_of_the_model_and_then_what_is_extra(
    instructor: User, learner: User, django_assert_num_queries: Any
) -> None:
    prepared = PreparedQuery(
        lambda: User.objects.filter(is_among("id", "keys")).annotate(address=F("email")).order_by("email"),
        fields=("name", "id"),
        extra=("address",),
    )
    keys = [instructor.pk, learner.pk]
    with django_assert_num_queries(1):
        rows = prepared.rows(keys=keys)
    wanted = User.objects.filter(pk__in=keys).order_by("email").values_list(*prepared.plan().names, "email")
    assert [tuple(row) for row in rows] == list(wanted)
    assert len(rows) == 2


def test_what_is_the_same_each_time_stands_in_the_sql(instructor: User, learner: User) -> None:
    words = "100 % of “it’s” 'quoted' \\ and %s"
    prepared = PreparedQuery(
        lambda: (
            User.objects.filter(email=given_text("email"), is_active=True)
            .exclude(name=words)
            .annotate(words=Value(words, TextField()))
        ),
        fields=("id",),
        extra=("words",),
    )
    assert prepared.plan().given == ("email",)
    for _time in range(2):
        assert prepared.rows(email=learner.email) == [(learner.pk, words)]


def test_a_query_that_is_given_nothing(instructor: User) -> None:
    prepared = PreparedQuery(lambda: Role.objects.filter(what=Role.What.INSTRUCTOR))
    assert prepared.plan().given == ()
    assert prepared.objects() == list(Role.objects.filter(what=Role.What.INSTRUCTOR))
