"""One bit of a QR code was changed on its way: the activation page gives no code for it (SPEC.md, section 4)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from tests.figures import tell
from tests.licensing.vendor.instances import NOW, Instance, issued, small_office
from wizard.licensing.protocol.qr import QR_BYTES, to_path
from wizard.licensing.vendor.app import assemble
from wizard.licensing.vendor.office import Office

BITS = 8 * QR_BYTES


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = small_office(tmp_path)
    yield office
    office.close()


@pytest.fixture
def phone(office: Office) -> FlaskClient:
    return assemble(office, activation="http://127.0.0.1:8001", clock=lambda: NOW).test_client()


def flipped(qr: bytes, bit: int) -> bytes:
    return (int.from_bytes(qr, "big") ^ 1 << bit).to_bytes(QR_BYTES, "big")


def form(page: str) -> dict[str, str]:
    """What the button for a code would send."""
    fields = {str(field["name"]): str(field["value"]) for field in BeautifulSoup(page, "html.parser").select("input")}
    return {**fields, "decision": "issue"}


def shows_a_code(page: str) -> bool:
    return BeautifulSoup(page, "html.parser").select_one("#code") is not None


def is_refused(phone: FlaskClient, path: str, decision: dict[str, str]) -> bool:
    """Whether it is neither asked about nor decided about, not even with the form of a genuine one."""
    answers = (phone.get(path), phone.post(path, data=decision))
    return all(400 <= answer.status_code < 500 and not shows_a_code(answer.text) for answer in answers)


def test_each_of_the_696_bits_is_refused_by_the_activation_page(phone: FlaskClient, office: Office) -> None:
    qr = Instance(issued(office)).challenge()
    genuine = f"/L/{to_path(qr)}"
    decision = form(phone.get(genuine).text)
    refused = sum(is_refused(phone, f"/L/{to_path(flipped(qr, bit))}", decision) for bit in range(BITS))
    assert BITS == 696
    assert tell("qr.flipped_bits_refused", refused, "=", BITS)
    assert shows_a_code(phone.post(genuine, data=decision, follow_redirects=True).text)
