"""R2: the image is taken in, shown, and only then used."""

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import cast

import pytest

from tests.desk import FakeDesk
from tests.factories import a_registration, an_image
from wizard.domain.upload import Upload as Arriving
from wizard.errors import InvalidInput, UnknownStep
from wizard.flow import Upload
from wizard.steps.upload import STEP
from wizard.text import say


def an_upload() -> Upload:
    return Upload(stream=BytesIO(b"an archive"), filename="fanruan_license_server.tar", size=10)


def test_an_image_is_shown_before_it_is_used(desk: FakeDesk) -> None:
    received = STEP.submit(a_registration(), desk.submission(an_upload()), desk.services)
    assert received.image is not None
    assert not STEP.is_done(received)
    accepted = STEP.action("accept")(received, desk.submission(), desk.services)
    assert STEP.is_done(accepted)


def test_sending_the_form_without_a_file_says_which_file_is_meant(desk: FakeDesk) -> None:
    with pytest.raises(InvalidInput) as refused:
        STEP.submit(a_registration(), desk.submission(), desk.services)
    assert "fanruan_license_server.tar" in str(refused.value.problem.todo)


def test_what_the_archive_is_refused_for_is_what_the_visitor_reads(desk: FakeDesk) -> None:
    desk.spool.fail("receive", InvalidInput(say("This is no archive.")))
    with pytest.raises(InvalidInput, match="This is no archive"):
        STEP.submit(a_registration(), desk.submission(an_upload()), desk.services)


def test_an_upload_that_has_not_ended_is_shown_to_its_owner_until_it_is_discarded(desk: FakeDesk) -> None:
    upload = desk.uploads.create("admin", 10, "fanruan_license_server.tar", "its mark", desk.now)
    registration = a_registration()
    unfinished = cast(Callable[[str], Sequence[Arriving]], STEP.context(registration, desk.services)["unfinished"])
    assert unfinished("admin") == [upload]
    assert unfinished("another") == []
    kept = STEP.action("discard")(registration, desk.submission(upload=upload.id), desk.services)
    assert kept == registration
    assert unfinished("admin") == []


def test_nobody_discards_what_is_another_persons(desk: FakeDesk) -> None:
    upload = desk.uploads.create("another", 10, "fanruan_license_server.tar", "its mark", desk.now)
    for id in (upload.id, ""):
        with pytest.raises(UnknownStep):
            STEP.action("discard")(a_registration(), desk.submission(upload=id), desk.services)


def test_an_image_that_nobody_has_signed_is_accepted_by_the_beginning_of_its_digest(desk: FakeDesk) -> None:
    unknown = a_registration(image=an_image(is_licence=False, received="0123456789abcdef" * 4))
    accept = STEP.action("accept")
    for typed in ("", "0123456789a", "ba9876543210", "0123456789abcd"):
        with pytest.raises(InvalidInput) as refused:
            accept(unknown, desk.submission(digest=typed), desk.services)
        assert refused.value.problem.field == "digest"
    assert STEP.is_done(accept(unknown, desk.submission(digest=" 0123 4567 89AB "), desk.services))


def test_of_an_image_in_the_list_no_digest_is_asked(desk: FakeDesk) -> None:
    listed = a_registration(image=an_image(is_licence=False, is_pinned=True))
    assert STEP.action("accept")(listed, desk.submission(), desk.services).image_accepted


def test_nothing_can_be_accepted_before_it_was_uploaded(desk: FakeDesk) -> None:
    with pytest.raises(InvalidInput):
        STEP.action("accept")(a_registration(), desk.submission(), desk.services)
