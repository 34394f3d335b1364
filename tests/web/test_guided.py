"""The pages of guided mode: the admin does it by hand, and confirms."""

from dataclasses import replace

import pytest

from tests.desk import FakeDesk
from tests.factories import a_deployed_registration, a_deployment, a_registration, an_endpoint, an_image
from tests.visitor import Visitor
from wizard.domain.image import Image

PAGE = "https://127.0.0.1:18081/license/qrcode"


@pytest.fixture
def guided(visitor: Visitor, desk: FakeDesk) -> Visitor:
    """At the scan of an image that speaks no protocol the wizard knows."""
    deployment = a_deployment(endpoint=an_endpoint(pin=""))
    desk.store.save(a_deployed_registration(image=an_image(is_licence=False), deployment=deployment))
    return visitor.open("/registrations/r1")


def test_the_whole_way_is_walked_by_confirming_each_step(guided: Visitor, desk: FakeDesk) -> None:
    assert guided.one("#page")["href"] == PAGE
    guided.press("The phone shows six digits")
    assert guided.heading == "Enter the code"
    guided.press("The code was accepted")
    assert guided.heading == "Register the project"
    guided.press("The project is registered")
    assert guided.heading == "Sales reports is registered"
    assert desk.license_servers.calls == []
    assert desk.jobs.count("start") == 0


def test_the_address_of_its_page_is_shown_as_a_code_as_well(guided: Visitor) -> None:
    assert guided.one("svg.qr")["aria-label"] == "QR code with the address of the authorization application"
    assert guided.has("it is not the code to be scanned there")


def test_a_step_that_was_confirmed_by_mistake_is_taken_back(guided: Visitor) -> None:
    guided.press("The phone shows six digits").open("./scan").press("It was not so")
    assert guided.heading == "Scan the QR code"
    assert not guided.has("You confirmed this")


def test_the_deploy_page_says_that_it_is_not_known(guided: Visitor, desk: FakeDesk) -> None:
    guided.open("/registrations/r1/deploy")
    assert guided.has("It speaks no protocol that the wizard knows.")
    assert not guided.has("Key of its certificate")


def test_home_shows_it_among_the_others(guided: Visitor, desk: FakeDesk) -> None:
    registration = desk.store.registration("r1")
    desk.store.save(replace(registration, registered_at=desk.now))
    assert guided.open("/").has("registered")


@pytest.mark.parametrize(
    ("image", "said", "asks_for_digits"),
    [
        (an_image(), "Signed by the vendor", False),
        (an_image(is_licence=False), "Nobody has signed this image", True),
        (an_image(is_licence=False, is_pinned=True), "In the list of images that this installation takes", False),
    ],
    ids=["signed", "confirm", "pinned"],
)
def test_the_page_says_by_which_policy_an_image_was_taken(
    visitor: Visitor, desk: FakeDesk, image: Image, said: str, asks_for_digits: bool
) -> None:
    desk.store.save(a_registration(image=image, image_accepted=False))
    page = visitor.open("/registrations/r1")
    assert page.has(said)
    assert page.has("The first 12 digits") == asks_for_digits
