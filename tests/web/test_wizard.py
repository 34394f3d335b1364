"""The walk through the seven steps over fakes, without scripts, and what the pages are made of."""

import io
from pathlib import Path

import pytest
from flask import g

from tests.desk import FakeDesk
from tests.factories import PIN
from tests.visitor import InnerBrowser, Visitor
from wizard.domain.person import Person, Role
from wizard.licensing.protocol.api import ENTRY
from wizard.steps import FLOW
from wizard.web.wizard import Desk

HTMX = {"HX-Request": "true"}


def asking(visitor: Visitor) -> dict[str, str]:
    """The headers of htmx on the page that the visitor has open."""
    return HTMX | {"HX-Current-URL": visitor.url}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "fanruan_license_server.tar"
    path.write_bytes(b"an archive")
    return path


@pytest.fixture
def at_node(visitor: Visitor, archive: Path) -> Visitor:
    return visitor.press("Register a project").upload(archive).press("Use this image")


@pytest.fixture
def at_port(at_node: Visitor) -> Visitor:
    return at_node.press("Use this node", node="sales/sales-main")


@pytest.fixture
def at_deploy(at_port: Visitor, desk: FakeDesk) -> Visitor:
    at_port.press("Check and use this port")
    desk.perform()
    desk.backend.engines["sales-main"].volumes["00112233445566ff"] = {ENTRY: f"{PIN} {'00' * 32}".encode()}
    return at_port.open("./deploy")


@pytest.fixture
def at_scan(at_deploy: Visitor, desk: FakeDesk) -> Visitor:
    at_deploy.press("Deploy to")
    desk.perform()
    return at_deploy.open("./deploy").press("Show the QR code")


@pytest.fixture
def at_code(at_scan: Visitor) -> Visitor:
    return at_scan.press("Enter the six digits")


@pytest.fixture
def at_register(at_code: Visitor) -> Visitor:
    return at_code.press("Verify the code", code="123456")


def slug(visitor: Visitor) -> str:
    return str(visitor.one("#step")["data-step"])


def inner(visitor: Visitor) -> InnerBrowser:
    assert isinstance(visitor.browser, InnerBrowser)
    return visitor.browser


def test_an_uploaded_image_is_shown_before_anything_is_done_with_it(visitor: Visitor, archive: Path) -> None:
    visitor.press("Register a project").upload(archive)
    assert slug(visitor) == "upload"
    for shown in ("Harbour Logistics", "Sales reports", "1.0.0", "amd64", "10 bytes", "fanruan_license_server.tar"):
        assert visitor.has(shown)


def test_a_plain_form_sends_a_large_file_as_well(visitor: Visitor, archive: Path) -> None:
    archive.write_bytes(bytes(5_000_000))
    visitor.press("Register a project").upload(archive)
    assert visitor.has("Harbour Logistics")
    assert visitor.has("5.0 MB")


def test_a_file_that_is_no_part_of_a_form_is_not_taken(visitor: Visitor, desk: FakeDesk) -> None:
    visitor.press("Register a project")
    version, token = (
        str(visitor.one(f"form[data-upload] [name={name}]")["value"]) for name in ("version", "csrf_token")
    )
    headers = {"Content-Type": "application/octet-stream", "X-CSRFToken": token, "X-Filename": "image.tar"}
    answer = inner(visitor).post(f"{visitor.url}?version={version}", io.BytesIO(b"an archive"), headers)
    assert answer.status == 422
    assert "No file was chosen." in answer.text
    assert desk.store.registrations()[0].image is None


def test_disabled_nodes_say_why(at_node: Visitor) -> None:
    assert len(at_node.page.select("input[type=radio][disabled]")) == 2
    assert at_node.has("In a multi-node project it runs on a component server.")


def test_a_free_port_leads_on_to_deploying(at_deploy: Visitor) -> None:
    assert slug(at_deploy) == "deploy"
    assert at_deploy.has("https://127.0.0.1:18081/license/qrcode")


def test_a_taken_port_offers_the_next_free_one_in_one_click(at_port: Visitor, desk: FakeDesk) -> None:
    desk.backend.engines["sales-main"].others = {18081: "the container report-cache"}
    at_port.press("Check and use this port")
    desk.perform()
    at_port.open(at_port.url)
    assert at_port.has("held by the container report-cache")
    at_port.press("Use 18082")
    desk.perform()
    assert slug(at_port.open("/").follow("Sales reports")) == "deploy"


def test_the_phases_of_a_deployment_are_shown_with_a_way_to_abort(at_deploy: Visitor, desk: FakeDesk) -> None:
    at_deploy.press("Deploy to")
    assert [item["class"] for item in at_deploy.page.select(".phases li")] == [["waiting"]] * 4
    at_deploy.press("Abort and undo")
    desk.perform()
    assert at_deploy.open(at_deploy.url).has("aborted and undone")
    assert desk.backend.engines["sales-main"].containers == {}


def test_after_deploying_the_address_is_shown(at_deploy: Visitor, desk: FakeDesk) -> None:
    at_deploy.press("Deploy to")
    desk.perform()
    at_deploy.open("./deploy")
    assert at_deploy.one("#page")["href"] == "https://127.0.0.1:18081/license/qrcode"
    assert at_deploy.has(PIN)


def test_the_qr_code_is_a_picture_with_a_name_and_its_address_beside_it(at_scan: Visitor) -> None:
    picture = at_scan.one("svg.qr")
    assert picture["role"] == "img"
    assert picture["aria-label"]
    assert at_scan.one("#challenge")["href"] == "HTTP://127.0.0.1:8001/L/AEAAAAAA"


def test_the_whole_way_ends_with_what_was_registered(at_register: Visitor, desk: FakeDesk) -> None:
    assert slug(at_register) == "register"
    at_register.press("Register Sales reports")
    desk.license_servers.hears_from("Sales reports", "main", desk.now)
    desk.perform()
    at_register.open(at_register.url)
    assert at_register.heading == "Sales reports is registered"
    assert at_register.has("11:00 UTC")
    assert at_register.open("/").has("registered")


def test_a_project_registered_by_hand_is_noticed(at_register: Visitor, desk: FakeDesk) -> None:
    desk.license_servers.hears_from("Sales reports", "main", desk.now)
    registration = desk.store.registrations()[0]
    watch = FLOW.current(registration).watch
    assert watch is not None
    desk.store.save(watch(registration, desk.workshop))
    assert at_register.open(at_register.url).heading == "Sales reports is registered"


def test_every_finished_step_can_be_opened_again_and_shows_what_was_chosen(at_register: Visitor) -> None:
    for step in FLOW.steps:
        at_register.open(f"./{step.slug}")
        assert (at_register.status, slug(at_register)) == (200, step.slug)
    chosen = [small.get_text(strip=True) for small in at_register.page.select(".rail-long small")]
    assert chosen[:4] == ["fanruan_license_server:1.0.0", "Main application server", "18081", "127.0.0.1:18081"]


def test_a_step_that_is_too_far_leads_to_the_current_one(at_port: Visitor) -> None:
    assert slug(at_port.open("./register")) == "port"


def test_a_fragment_is_the_step_and_its_out_of_band_parts(at_port: Visitor) -> None:
    text = inner(at_port).client.get(at_port.url, headers=HTMX).text
    assert "<html" not in text
    assert text.count("hx-swap-oob") == 2
    assert 'id="step"' in text


def test_a_page_restored_from_history_is_whole(at_port: Visitor) -> None:
    headers = HTMX | {"HX-History-Restore-Request": "true"}
    assert "<html" in inner(at_port).client.get(at_port.url, headers=headers).text


def test_polling_answers_nothing_while_nothing_has_changed(at_deploy: Visitor, desk: FakeDesk) -> None:
    at_deploy.press("Deploy to")
    poll = str(at_deploy.one("[hx-trigger^=every]")["hx-get"])
    client = inner(at_deploy).client
    assert client.get(poll, headers=HTMX).status_code == 204
    desk.perform()
    changed = client.get(poll, headers=asking(at_deploy))
    assert "authorization application answers" in changed.text
    assert "HX-Push-Url" not in changed.headers


def test_polling_goes_on_to_the_next_step_when_this_one_is_done(at_port: Visitor, desk: FakeDesk) -> None:
    at_port.press("Check and use this port")
    poll = str(at_port.one("[hx-trigger^=every]")["hx-get"])
    desk.perform()
    onward = inner(at_port).client.get(poll, headers=asking(at_port))
    assert 'data-step="deploy"' in onward.text
    assert onward.headers["HX-Push-Url"].endswith("/deploy")


def test_a_page_that_was_overtaken_while_it_was_made_is_made_anew_by_its_first_poll(
    at_deploy: Visitor, desk: FakeDesk
) -> None:
    registration = desk.store.registrations()[0]
    overtaken = Desk(FLOW, desk.services)
    with inner(at_deploy).client.application.test_request_context():
        g.person = Person(name="admin", role=Role.ADMIN)
        desk.store.save(registration.use_port(18099))
        page = overtaken.page(registration, FLOW.step("node")).get_data(as_text=True)
    assert 'since="' in page


def test_a_page_that_its_work_has_overtaken_asks_once_more_though_the_work_has_ended(
    at_deploy: Visitor, desk: FakeDesk
) -> None:
    """The registration was loaded, then the deployment ended: else the page would offer Deploy for ever."""
    at_deploy.press("Deploy to")
    registration = desk.store.registrations()[0]
    desk.perform()
    with inner(at_deploy).client.application.test_request_context():
        g.person = Person(name="admin", role=Role.ADMIN)
        page = Desk(FLOW, desk.services).page(registration, FLOW.step("deploy")).get_data(as_text=True)
    assert 'since="' in page


def test_the_address_follows_a_button_that_leads_to_another_step(at_deploy: Visitor, desk: FakeDesk) -> None:
    at_deploy.press("Deploy to")
    desk.perform()
    at_deploy.open("./deploy")
    form = {str(it["name"]): str(it["value"]) for it in at_deploy.page.select("form[action$=refresh] [type=hidden]")}
    action = str(at_deploy.one("form[action$=refresh]")["action"])
    answer = inner(at_deploy).client.post(action, data=form, headers=asking(at_deploy))
    assert answer.headers["HX-Push-Url"].endswith("/scan")


def test_a_page_with_nothing_to_wait_for_asks_only_who_is_at_work(at_deploy: Visitor) -> None:
    [asking] = at_deploy.page.select("[hx-trigger]")
    assert asking["hx-trigger"] == "every 10s"
    assert str(asking["hx-get"]).endswith("/deploy?seat=1")


def test_during_a_lock_there_is_neither_a_qr_code_nor_a_field(at_code: Visitor) -> None:
    for _ in range(6):
        at_code.press("Verify the code", code="000000")
    at_code.open(at_code.url)
    assert at_code.has("15 min 0 s")
    assert not at_code.page.select("#code, svg.qr")
    assert not at_code.open("./scan").page.select("#code, svg.qr")


def test_a_restart_before_registering_leads_back_to_the_qr_code_and_says_why(
    at_register: Visitor, desk: FakeDesk
) -> None:
    desk.license_servers.restarts()
    registration = desk.store.registrations()[0]
    desk.store.save(registration.observed(desk.license_servers.status(registration.endpoint, desk.now), desk.now))
    at_register.open("/").follow("Sales reports")
    assert slug(at_register) == "scan"
    assert at_register.has("does not outlive")


def test_hostile_names_are_shown_and_do_nothing(visitor: Visitor, tmp_path: Path) -> None:
    hostile = tmp_path / "<script>alert(1)<"
    hostile.write_bytes(b"an archive")
    visitor.press("Register a project").upload(hostile)
    assert visitor.has("<script>alert(1)<")
    assert not [script for script in visitor.page.find_all("script") if not script.get("src")]
