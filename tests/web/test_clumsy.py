"""What a clumsy visitor does: each has a clear answer, and loses nothing."""

from pathlib import Path

from werkzeug.test import stream_encode_multipart

from tests.desk import FakeDesk
from tests.factories import NOW, a_deployed_registration, a_placed_registration, a_slot, a_status, an_image
from tests.fakes import broken
from tests.visitor import InnerBrowser, Visitor
from wizard.domain.registration import Registration
from wizard.errors import InvalidInput
from wizard.steps import FLOW
from wizard.text import say


def saved(desk: FakeDesk, registration: Registration) -> Registration:
    return desk.store.save(registration)


def at(visitor: Visitor, desk: FakeDesk, registration: Registration) -> Visitor:
    """The visitor at the current step of that registration."""
    return visitor.open(f"/registrations/{saved(desk, registration).id}")


def press_again(visitor: Visitor, text: str) -> Visitor:
    """The second click of a double click: the same form once more, as it was before the first."""
    page, url = visitor.page, visitor.url
    visitor.press(text)
    visitor.page, visitor.url = page, url
    return visitor.press(text)


def test_a_double_click_on_deploy_deploys_once(visitor: Visitor, desk: FakeDesk) -> None:
    press_again(at(visitor, desk, a_placed_registration()), "Deploy to")
    assert visitor.status == 200
    assert visitor.has("Check the node")
    assert desk.jobs.count("start") == 1


def test_a_wrong_file_says_what_it_is_and_leaves_the_step_as_it_was(
    visitor: Visitor, desk: FakeDesk, tmp_path: Path
) -> None:
    holiday = tmp_path / "holiday.jpg"
    holiday.write_bytes(b"\xff\xd8\xff")
    desk.spool.fail("receive", InvalidInput(say("This is not an archive."), todo=say("Choose another file.")))
    visitor.press("Register a project").upload(holiday)
    assert visitor.status == 422
    assert visitor.has("This is not an archive. Choose another file.")
    assert visitor.page.select("#file")


def test_a_port_in_words_is_explained_and_stays_in_the_field(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_placed_registration(preflight=None))
    visitor.press("Check and use this port", port="eighteen")
    assert visitor.status == 422
    assert visitor.has("The port was not understood.")
    assert visitor.one("#port")["value"] == "eighteen"
    assert visitor.one("#port")["aria-invalid"] == "true"


def test_a_form_that_is_too_large_is_not_told_about_images(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_deployed_registration()).press("Show the QR code", something="1" * (2 << 20))
    assert visitor.status == 413
    assert visitor.heading == "What was sent is larger than a form can be."
    assert not visitor.has("image file")
    assert desk.store.registration("r1").challenge is None


def test_a_field_that_is_too_large_is_not_told_about_images_where_an_image_may_be_sent(visitor: Visitor) -> None:
    visitor.press("Register a project")
    body, _, boundary = stream_encode_multipart({"digest": "1" * (2 << 20) + "1"})
    with body:
        answer = visitor.browser.post(visitor.url, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
    assert answer.status == 413
    assert "What was sent is larger than a form can be." in answer.text


def test_a_file_that_is_too_large_is_told_about_images(visitor: Visitor) -> None:
    visitor.press("Register a project")
    assert isinstance(visitor.browser, InnerBrowser)
    answer = visitor.browser.open(
        visitor.url,
        method="POST",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str((4 << 30) + 1)},
    )
    assert answer.status == 413
    assert "An image file of more than 4 GB is never a licence image." in answer.text


def test_going_back_says_beforehand_what_a_change_would_cost(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_deployed_registration()).open("./node")
    assert visitor.has("Changing this means doing again: Port, Deploy.")
    assert visitor.has("127.0.0.1:18081 will be stopped and removed; its volume stays.")


def test_back_and_forth_without_a_change_keeps_everything(visitor: Visitor, desk: FakeDesk) -> None:
    registration = saved(desk, a_deployed_registration())
    for step in ("upload", "node", "port"):
        visitor.open(f"/registrations/{registration.id}/{step}")
    visitor.open("./node").press("Use this node")
    assert desk.store.registration(registration.id).deployment is not None


def test_two_tabs_the_older_one_overwrites_nothing(visitor: Visitor, desk: FakeDesk) -> None:
    registration = saved(desk, a_placed_registration())
    first = visitor.open(f"/registrations/{registration.id}/port")
    second = Visitor(visitor.browser, visitor.url).open(visitor.url)
    second.press("Check and use this port", port="18090")
    desk.perform()
    first.press("Check and use this port", port="18070")
    assert first.status == 409
    assert first.has("This page was older than the registration. ")
    assert desk.store.registration(registration.id).port == 18090


def test_an_expired_code_offers_a_new_qr_code_and_counts_nothing(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_deployed_registration()).press("Show the QR code").press("Enter the six digits")
    desk.clock.advance(minutes=5, seconds=1)
    visitor.press("Verify the code", code="123456")
    assert visitor.has("The QR code has expired.")
    assert desk.license_servers.now_says.tries_left == 6
    assert visitor.press("Show a new QR code").page.select("svg.qr")


def test_letters_in_the_code_are_no_try(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_deployed_registration()).press("Show the QR code").press("Enter the six digits")
    visitor.press("Verify the code", code="l23456")
    assert visitor.has("nothing was counted")
    assert visitor.one("#code")["value"] == "l23456"


def test_choosing_nothing_is_said(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_placed_registration(project=None, node=None, port=None, preflight=None))
    visitor.press("Use this node")
    assert visitor.has("No node was chosen.")


def test_a_node_that_was_enabled_by_hand_in_the_browser_is_still_refused(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_placed_registration(project=None, node=None, port=None, preflight=None))
    visitor.press("Use this node", node="plan/plan-main")
    assert visitor.status == 422
    assert visitor.has("In a multi-node project it runs on a component server.")


def test_a_change_while_it_is_deploying_has_to_wait(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_placed_registration()).press("Deploy to")
    visitor.open("./node").press("Use this node", node="plan/plan-component")
    assert visitor.has("the step Deploy is still at work")


def test_a_license_server_that_is_silent_is_said_with_what_to_do(visitor: Visitor, desk: FakeDesk) -> None:
    desk.license_servers.fail("challenge", broken("connection refused"))
    at(visitor, desk, a_deployed_registration()).press("Show the QR code")
    assert visitor.status == 502
    assert visitor.has("connection refused")


def test_a_failed_deployment_can_be_repeated(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_placed_registration()).press("Deploy to")
    (desk.spool.folder / an_image().digest).write_bytes(b"the archive")
    desk.backend.fail("load", broken("no space left on device"))
    desk.perform()
    assert visitor.open(visitor.url).has("no space left on device")
    visitor.press("Deploy to")
    assert visitor.has("Load the image")


def test_a_form_of_a_step_that_is_done_elsewhere_meanwhile_shows_where_it_stands(
    visitor: Visitor, desk: FakeDesk
) -> None:
    registration = saved(desk, a_placed_registration())
    visitor.open(f"/registrations/{registration.id}/deploy")
    saved(desk, registration.use_port(18099))
    visitor.press("Deploy to")
    assert visitor.one("#step")["data-step"] == "port"


def test_an_invented_button_and_an_invented_step_are_said_to_be_unknown(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_placed_registration())
    assert isinstance(visitor.browser, InnerBrowser)
    token = str(visitor.one("[name=csrf_token]")["value"])
    for path in ("./deploy/dance", "./dance"):
        assert visitor.browser.post(f"/registrations/r1/{path}", {"csrf_token": token}).status == 404


def test_loading_again_the_address_of_a_button_shows_the_step(visitor: Visitor, desk: FakeDesk) -> None:
    desk.license_servers.fail("challenge", broken("connection refused"))
    at(visitor, desk, a_deployed_registration()).press("Show the QR code")
    assert visitor.open(visitor.url).status == 200
    assert visitor.one("#step")["data-step"] == "scan"
    assert visitor.open("/registrations/r1/abort").one("#step")["data-step"] == "scan"


def test_an_abort_that_comes_too_late_says_so(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_placed_registration()).press("Deploy to")
    desk.perform()
    visitor.press("Abort and undo")
    assert visitor.status == 409
    assert visitor.has("It had ended before the abort arrived.")


def test_a_finished_registration_is_not_undone_by_an_old_form(visitor: Visitor, desk: FakeDesk) -> None:
    server = a_status(slots=(a_slot(last_request_at=NOW),))
    finished = saved(desk, a_deployed_registration(verified_at=NOW, registered_at=NOW, server=server))
    visitor.open(f"/registrations/{finished.id}")
    assert isinstance(visitor.browser, InnerBrowser)
    form = {"csrf_token": str(visitor.one("[name=csrf_token]")["value"]), "version": str(finished.version)}
    for path in ("scan/refresh", "scan", "node", "port", "deploy", "code", "register"):
        visitor.browser.post(
            f"/registrations/{finished.id}/{path}", form | {"port": "18090", "node": "sales/sales-main"}
        )
    assert desk.store.registration(finished.id) == finished


def test_a_form_without_its_version_is_taken_for_an_old_one(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_placed_registration())
    assert isinstance(visitor.browser, InnerBrowser)
    token = str(visitor.one("[name=csrf_token]")["value"])
    assert visitor.browser.post(visitor.url, {"csrf_token": token}).status == 409


def test_a_button_pressed_after_the_session_has_ended_leads_to_signing_in(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_placed_registration())
    assert isinstance(visitor.browser, InnerBrowser)
    visitor.browser.client.delete_cookie(visitor.browser.client.application.config["SESSION_COOKIE_NAME"])
    assert visitor.press("Deploy to").heading == "Sign in"


def test_every_step_has_a_template() -> None:
    for step in FLOW.steps:
        assert Path(f"templates/steps/{step.slug}.html").is_file()


def test_fields_alone_are_never_as_large_as_a_file(visitor: Visitor, desk: FakeDesk) -> None:
    at(visitor, desk, a_placed_registration(preflight=None)).press("Check and use this port", port="1" * (2 << 20))
    assert visitor.status == 413
    assert visitor.heading == "What was sent is larger than a form can be."
