"""The audit trail: what is noted of each act, and what never is."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from app import assemble
from tests.desk import FakeDesk
from tests.embedding import ORIGIN, MemoryLaunches, Token, an_issuer
from tests.factories import NOW, PIN, a_placed_registration, a_registration, an_account
from tests.memory_store import MemoryAccounts
from tests.visitor import InnerBrowser, Visitor
from tests.web.conftest import HOME, PASSWORD, TOKEN
from wizard.domain.audit import Deed, Entry, Outcome, Way, subject_of
from wizard.domain.audit_acts import ACTS, DETAILS, OUTCOMES, WAYS
from wizard.domain.person import Role
from wizard.licensing.protocol.api import ENTRY
from wizard.steps import FLOW
from wizard.store import migrate
from wizard.store.audit import SqlTrail
from wizard.web.audit_edge import MOST_OF_STRANGERS, Valve
from wizard.web.audit_endpoints import ASKED, BEGIN_SESSIONS, ENDPOINTS, FILES, LET_IN, NAMES, ONLY, SILENT
from wizard.web.frames import Embedding
from wizard.web.who import SAFE


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "fanruan_license_server.tar"
    path.write_bytes(b"an archive")
    return path


@pytest.fixture
def embedded(desk: FakeDesk, accounts: MemoryAccounts) -> Flask:
    """With all surfaces."""
    embedding = Embedding(issuers=(an_issuer(),), launches=MemoryLaunches())
    app = assemble(FLOW, desk.services, accounts, secret_key="a secret for tests", embedding=embedding)
    app.testing = True
    return app


@pytest.fixture
def walked(visitor: Visitor, archive: Path, desk: FakeDesk) -> Visitor:
    """The seven steps, with a wrong port and a wrong code on the way."""
    visitor.press("Register a project").upload(archive).press("Use this image")
    visitor.press("Use this node", node="sales/sales-main")
    visitor.press("Check and use this port", port="80")
    visitor.press("Check and use this port", port="18081")
    desk.perform()
    desk.backend.engines["sales-main"].volumes["00112233445566ff"] = {ENTRY: f"{PIN} {'00' * 32}".encode()}
    visitor.open("./deploy").press("Deploy to")
    desk.perform()
    visitor.open("./deploy").press("Show the QR code").press("Refresh the QR code")
    visitor.press("Enter the six digits")
    visitor.press("Verify the code", code="654321").press("Verify the code", code="123456")
    visitor.press("Register ")
    desk.license_servers.hears_from("Sales reports", "main", desk.now)
    desk.perform()
    return visitor.open("/").press("Sign out")


def noted(desk: FakeDesk) -> list[Deed]:
    """What is in the trail, oldest first."""
    return [entry.deed for entry in desk.trail.kept]


def told(desk: FakeDesk) -> list[str]:
    """The same as a person reads it."""
    return [f"{deed.who or 'somebody'} {ACTS[deed.act]}: {OUTCOMES[deed.outcome]}" for deed in noted(desk)]


def last(desk: FakeDesk) -> Deed:
    return noted(desk)[-1]


def test_each_act_of_a_whole_walk_is_noted_in_order(walked: Visitor, desk: FakeDesk) -> None:
    assert told(desk) == [
        "admin used a sign-in link: done",
        "admin began a registration: done",
        "admin uploaded an image: done",
        "admin accepted the image: done",
        "admin chose a node: done",
        "admin chose a port: refused",
        "admin chose a port: done",
        "admin checked the node and the port: done",
        "admin asked for the deployment: done",
        "admin deployed the authorization application: done",
        "admin asked for a new QR code: done",
        "admin asked for a new QR code: done",
        "admin said that the phone has the code: done",
        "admin entered a code: refused",
        "admin entered a code: done",
        "admin asked for the registration of the project: done",
        "admin had the project register: done",
        "admin signed out: done",
    ]
    assert desk.trail.chain().is_whole


def test_an_entry_says_to_what_it_was_done_from_where_and_why_it_was_refused(walked: Visitor, desk: FakeDesk) -> None:
    id = desk.store.registrations()[0].id
    by_act = {(deed.act, deed.outcome): deed for deed in noted(desk)}
    refused = by_act["port", Outcome.REFUSED]
    chosen = {"project": "sales", "node": "sales-main", "image": by_act["upload", Outcome.DONE].details["image"]}
    assert refused == Deed(
        at=NOW,
        who="admin",
        way=Way.ACCOUNT,
        address="127.0.0.1",
        act="port",
        outcome=Outcome.REFUSED,
        status=422,
        reason=refused.reason,
        registration=id,
        details={"asked": "80", "policy": "signed", **chosen},
    )
    assert str(refused.reason) == "80 is not a port that can be used."
    assert str(by_act["code", Outcome.REFUSED].reason) == "The code is wrong."
    uploaded = by_act["upload", Outcome.DONE]
    assert uploaded.details == {
        "file": "fanruan_license_server.tar",
        "image": desk.store.registrations()[0].image.digest[:12],  # type: ignore[union-attr]
        "policy": "signed",
    }
    worked = by_act["worked-deploy", Outcome.DONE]
    assert (worked.way, worked.who, worked.address) == (Way.WORKER, "admin", "")
    assert by_act["begin", Outcome.DONE].registration == id


def test_no_code_password_or_token_is_in_the_database_after_a_walk(
    visitor: Visitor, walked: Visitor, desk: FakeDesk, tmp_path: Path
) -> None:
    """All that was noted is written to a database, in whose files the secrets are looked for byte by byte."""
    visitor.open("/sign-in").press("Sign in", name="my other password", password="a wrong password")
    url = f"sqlite:///{tmp_path}/trail.sqlite"
    migrate(url)
    trail = SqlTrail(url)
    for deed in noted(desk):
        trail.append(deed)
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("trail.sqlite*"))
    trail.close()
    assert b"fanruan_license_server.tar" in kept
    csrf = str(visitor.one("[name=csrf_token]")["value"])
    for secret in (PASSWORD, "a wrong password", "my other password", "123456", "654321", TOKEN, csrf):
        assert secret.encode() not in kept, secret


def test_a_failed_sign_in_is_noted_and_names_an_account_only_when_there_is_one(
    visitor: Visitor, stranger: Visitor, app: Flask, desk: FakeDesk
) -> None:
    other = Visitor(InnerBrowser(app), HOME)
    for name in ("admin", "a password in the wrong field"):
        other.open("/sign-in").press("Sign in", name=name, password="wrong")
    first, second = noted(desk)[-2:]
    assert (first.who, first.way, first.outcome, first.status) == ("admin", Way.STRANGER, Outcome.REFUSED, 422)
    assert str(first.reason) == "The name and the password do not belong together."
    assert (second.who, second.details) == ("", {})


def test_who_signs_in_is_known_by_their_name_from_then_on(another: Callable[[], Visitor], desk: FakeDesk) -> None:
    another()
    assert (last(desk).act, last(desk).who, last(desk).way) == ("sign-in", "admin", Way.ACCOUNT)


def test_whoever_signs_in_over_another_session_is_who_is_noted(
    visitor: Visitor, somebody: Callable[[str], Visitor], desk: FakeDesk
) -> None:
    somebody("bob").open("/sign-in").press("Sign in", name="admin", password=PASSWORD)
    assert (last(desk).act, last(desk).who) == ("sign-in", "admin")


def test_what_an_observer_may_not_do_is_noted_with_their_name(
    visitor: Visitor, app: Flask, accounts: MemoryAccounts, desk: FakeDesk
) -> None:
    visitor.press("Register a project")
    accounts.add_account(
        an_account(name="eve", password_hash=generate_password_hash(PASSWORD, "pbkdf2:sha256:1"), role=Role.OBSERVER)
    )
    observer = Visitor(InnerBrowser(app), HOME).open("/sign-in").press("Sign in", name="eve", password=PASSWORD)
    token = str(observer.one("[name=csrf_token]")["value"])
    observer.browser.post(HOME + "registrations", {"csrf_token": token})
    assert (last(desk).who, last(desk).act, last(desk).status) == ("eve", "begin", 403)
    assert str(last(desk).reason) == "You can look at everything here, and change nothing."


def test_who_is_not_signed_in_is_noted_as_refused_though_the_answer_leads_to_the_door(
    app: Flask, stranger: Visitor, desk: FakeDesk
) -> None:
    app.test_client().post("/registrations")
    assert (last(desk).act, last(desk).outcome, last(desk).status) == ("begin", Outcome.REFUSED, 401)
    assert (last(desk).who, last(desk).way) == ("", Way.STRANGER)


def test_a_form_without_its_token_is_noted_as_refused(visitor: Visitor, desk: FakeDesk) -> None:
    visitor.browser.post(HOME + "registrations", {})
    assert (last(desk).act, last(desk).status) == ("begin", 400)


def test_a_stale_page_is_noted_as_refused(visitor: Visitor, archive: Path, desk: FakeDesk) -> None:
    visitor.press("Register a project").upload(archive)
    desk.store.save(desk.store.registrations()[0])
    visitor.press("Use this image")
    assert (last(desk).act, last(desk).status) == ("upload-accept", 409)
    assert str(last(desk).reason) == "This page was older than the registration."


def test_work_that_fails_is_noted_on_behalf_of_whoever_asked(visitor: Visitor, desk: FakeDesk) -> None:
    desk.store.save(a_registration(id="r1", image=None))
    desk.jobs.start(desk.store.registration("r1"), "port", NOW, "ann")
    desk.perform()
    deed = last(desk)
    assert (deed.who, deed.way, deed.act, deed.outcome) == ("ann", Way.WORKER, "worked-port", Outcome.FAILED)
    assert deed.reason is not None


def test_strangers_cannot_fill_the_trail_and_what_was_held_back_is_counted(
    app: Flask, stranger: Visitor, desk: FakeDesk
) -> None:
    client = app.test_client()
    for _ in range(MOST_OF_STRANGERS + 7):
        client.post("/registrations")
    assert len(noted(desk)) == MOST_OF_STRANGERS
    client.post("/sign-out")
    assert last(desk).act == "sign-out", "another act has a count of its own"
    desk.clock.advance(minutes=1)
    client.post("/registrations")
    assert last(desk).details == {"unnoted": "7"}
    client.post("/registrations")
    assert last(desk).details == {}


def test_a_valve_lets_the_same_number_pass_in_every_minute() -> None:
    valve = Valve(most=2)
    moments = [NOW + timedelta(seconds=second) for second in (0, 1, 2, 59, 60, 61)]
    assert [valve.passes("act", moment) for moment in moments] == [0, 0, None, None, 2, 0]


def test_what_cannot_be_noted_is_logged_in_full_and_the_answer_stands(
    visitor: Visitor, desk: FakeDesk, caplog: pytest.LogCaptureFixture
) -> None:
    def full(deed: Deed) -> Entry:
        raise OSError("no space left")

    desk.trail.append = full  # type: ignore[method-assign]
    assert visitor.press("Register a project").status == 200
    record = caplog.records[-1]
    assert json.loads(record.getMessage().partition(": ")[2])["act"] == "begin"


def unsafe_endpoints(app: Flask) -> set[str]:
    return {rule.endpoint for rule in app.url_map.iter_rules() if (rule.methods or set()) - SAFE}


def test_every_endpoint_that_would_change_something_has_its_act_or_is_silent_on_purpose(embedded: Flask) -> None:
    assert unsafe_endpoints(embedded) - ENDPOINTS.keys() - SILENT.keys() == set()
    assert ENDPOINTS.keys() & SILENT.keys() == set()


def test_no_act_is_left_of_an_endpoint_that_is_no_more(embedded: Flask) -> None:
    known = {rule.endpoint for rule in embedded.url_map.iter_rules()}
    assert {*ENDPOINTS, *SILENT, *LET_IN, *BEGIN_SESSIONS, *NAMES} - known == set()


def test_every_act_and_every_detail_has_its_words() -> None:
    slugs = {act for act in [*ENDPOINTS.values(), *LET_IN.values()] if isinstance(act, str)}
    slugs |= {*ASKED, *FILES, *ONLY}
    for step in FLOW.steps:
        slugs |= {step.slug, *(f"{step.slug}-{action}" for action in step.actions)}
        slugs |= {f"worked-{step.slug}"} if step.work else set()
    assert slugs - ACTS.keys() == set()
    assert {allowed[0] for asked in ASKED.values() for allowed in asked} - DETAILS.keys() == set()
    assert subject_of(a_registration()).keys() - DETAILS.keys() == set()
    assert (set(OUTCOMES), set(WAYS)) == (set(Outcome), set(Way))


SECRET_FIELDS = {"code", "password", "again", "current", "token", "csrf_token", "digest"}


def test_no_field_of_a_secret_is_among_those_that_may_be_noted() -> None:
    fields = {field for asked in ASKED.values() for _, field, _ in asked} | set(NAMES.values())
    assert fields & SECRET_FIELDS == set()


def test_who_sees_one_registration_does_not_see_the_trail(visitor: Visitor, app: Flask, desk: FakeDesk) -> None:
    visitor.press("Register a project")
    link = visitor.open("./share").press("1 hour").one("#observer-link")["href"]
    made = last(desk)
    watcher = Visitor(InnerBrowser(app), HOME)
    assert watcher.open(str(link)).status == 200
    assert (made.act, made.details["life"]) == ("share-link", "1h")
    assert last(desk).who == f"observer {made.details['link']}"
    assert (last(desk).act, last(desk).way) == ("observe", Way.OBSERVER_LINK)
    for path in ("/audit", "/audit/chain", "/audit/trail.csv"):
        assert watcher.open(path).status == 403


def test_what_is_given_away_of_a_registration_is_noted(visitor: Visitor, desk: FakeDesk) -> None:
    visitor.press("Register a project").open("./share").press("1 hour")
    made = last(desk).details["link"]
    visitor.open("./share").press("Revoke")
    assert (last(desk).act, last(desk).details["link"]) == ("share-revoke", made)
    visitor.open("./share").press("Show a link to go on with")
    assert last(desk).act == "hand-over"


def test_what_admins_do_with_accounts_is_noted(visitor: Visitor, accounts: MemoryAccounts, desk: FakeDesk) -> None:
    accounts.add_account(an_account(name="zoe"))
    visitor.open("/people").press("Make an observer zoe", name="zoe")
    assert (last(desk).act, last(desk).details) == ("change-role", {"account": "zoe", "role": "observer"})
    visitor.open("/people").press("Make a link", role="observer")
    made = last(desk)
    assert (made.act, made.details["role"]) == ("invite", "observer")
    visitor.open("/people").press("Revoke")
    assert (last(desk).act, last(desk).details) == ("invite-revoke", {"invitation": made.details["invitation"]})


def test_a_wrong_password_and_a_new_one_are_noted_without_either(visitor: Visitor, desk: FakeDesk) -> None:
    for current in ("not the password", PASSWORD):
        new = {"password": "another long password", "again": "another long password"}
        visitor.open("/account").press("Change the password", current=current, **new)
    assert [(deed.act, deed.outcome, deed.details) for deed in noted(desk)[-2:]] == [
        ("password", Outcome.REFUSED, {}),
        ("password", Outcome.DONE, {}),
    ]


def test_of_a_file_in_pieces_the_beginning_is_noted_and_not_each_piece(visitor: Visitor, desk: FakeDesk) -> None:
    assert isinstance(visitor.browser, InnerBrowser)
    client, token = visitor.browser.client, str(visitor.one("[name=csrf_token]")["value"])
    tus = {"Tus-Resumable": "1.0.0", "X-CSRFToken": token}
    name = b64encode(b"image.tar").decode()
    begun = client.post("/uploads/", headers=tus | {"Upload-Length": "10", "Upload-Metadata": f"filename {name}"})
    assert (last(desk).act, last(desk).details) == ("upload-begin", {"file": "image.tar"})
    before = len(noted(desk))
    content = {"Content-Type": "application/offset+octet-stream"}
    for offset in range(3):
        sent = client.patch(begun.location, data=b"x", headers=tus | content | {"Upload-Offset": str(offset)})
        assert sent.status_code == 204
    assert len(noted(desk)) == before
    client.delete(begun.location, headers=tus)
    assert (last(desk).act, last(desk).outcome) == ("upload-remove", Outcome.DONE)


def test_a_program_that_is_refused_in_plain_text_is_noted_with_that_sentence(visitor: Visitor, desk: FakeDesk) -> None:
    assert isinstance(visitor.browser, InnerBrowser)
    token = str(visitor.one("[name=csrf_token]")["value"])
    visitor.browser.client.delete("/uploads/none", headers={"Tus-Resumable": "1.0.0", "X-CSRFToken": token})
    assert (last(desk).act, last(desk).status) == ("upload-remove", 404)
    assert str(last(desk).reason) == "This upload is not there any more."


def test_an_abort_is_noted_and_what_it_has_undone(visitor: Visitor, desk: FakeDesk) -> None:
    registration = desk.store.save(a_placed_registration())
    visitor.open(f"/registrations/{registration.id}").press("Deploy to").press("Abort")
    desk.perform()
    assert told(desk)[-3:] == [
        "admin asked for the deployment: done",
        "admin asked for work to be undone: done",
        "admin deployed the authorization application: undone",
    ]


def test_who_was_launched_is_noted_by_the_name_in_the_token(embedded: Flask, desk: FakeDesk) -> None:
    client = embedded.test_client()
    token = str(Token(now=desk.now))
    for _ in range(2):  # the second is replayed
        client.post("/embed", data={"token": token}, headers={"Origin": ORIGIN})
    launched, replayed = noted(desk)
    assert (launched.act, launched.way, launched.outcome) == ("launch", Way.FINEOPS, Outcome.DONE)
    assert launched.who
    assert launched.registration == desk.store.registrations()[0].id
    assert (replayed.way, replayed.outcome) == (Way.STRANGER, Outcome.REFUSED)
