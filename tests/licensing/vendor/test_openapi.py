"""The site answers as its OpenAPI document says, whatever is sent to it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import strategies as st

from tests.licensing.vendor.instances import NOW, Instance, issued, small_office
from tests.licensing.vendor.test_app import REFUSED
from wizard.licensing.vendor.app import LARGEST_FORM, assemble, form_token
from wizard.licensing.vendor.layers import Base
from wizard.licensing.vendor.machine import MachineError
from wizard.licensing.vendor.office import Office
from wizard.licensing.vendor.openapi import DOCUMENT

Scan = Callable[[Instance, Office], str]

SCHEMA = schemathesis.openapi.from_dict(
    DOCUMENT,
    config=schemathesis.Config.from_dict(
        {
            "generation": {"deterministic": True, "max-examples": 100},
            # 140 letters of base32 are well formed, and hardly ever a QR code of ours
            "checks": {"positive_data_acceptance": {"enabled": False}},
        }
    ),
)
ON_A_QR = SCHEMA.include(path="/L/{text}")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = small_office(tmp_path_factory.mktemp("vendor"))
    yield office
    office.close()


@pytest.fixture(scope="module")
def app(office: Office) -> Flask:
    return site(office)


def fresh(instance: Instance, _office: Office) -> str:
    return instance.scan()


def answered(instance: Instance, office: Office) -> str:
    scan = instance.scan()
    office.decide(scan, issue=True, now=NOW)
    return scan


SCANS: list[Scan] = [fresh, answered, *(scan for scan, *_ in REFUSED)]


@SCHEMA.parametrize()
def test_whatever_is_sent_the_answer_is_one_that_is_documented(case: "schemathesis.Case[Any]", app: Flask) -> None:
    case.call_and_validate(app=app)


@ON_A_QR.given(scan=st.sampled_from(SCANS), decision=st.sampled_from(["issue", "decline", "neither"]))
@ON_A_QR.parametrize()
def test_whatever_is_sent_with_a_qr_code_of_ours_the_answer_is_one_that_is_documented(
    case: "schemathesis.Case[Any]", app: Flask, office: Office, scan: Scan, decision: str
) -> None:
    text = scan(Instance(issued(office)), office)
    case.path_parameters = {"text": text}
    if isinstance(case.body, dict):
        case.body |= {"token": form_token(office.keys.forms, text), "decision": decision}
    case.call_and_validate(app=app)


def test_every_documented_status_occurs_and_no_other(office: Office) -> None:
    seen: dict[str, set[str]] = {operation: set() for operation in documented()}

    def ask(app: Flask, path: str, operation: str, **more: Any) -> None:
        response = app.test_client().open(path, method=operation.split()[0], **more)
        seen[operation].add(str(response.status_code))
        response.close()

    texts = [scan(Instance(issued(office)), office) for scan in SCANS]
    for app in (site(office), site(office, broken_clock), site(without_base(office))):
        for text in texts:
            form = {"token": form_token(office.keys.forms, text), "decision": "issue"}
            ask(app, f"/L/{text}", "GET /L/{text}")
            ask(app, f"/L/{text}", "POST /L/{text}", data=form)
        ask(app, f"/L/{texts[0]}", "POST /L/{text}", data={"more": "x" * LARGEST_FORM})
        for operation in documented():
            path = operation.split()[1]
            if path != "/L/{text}":
                ask(app, path, operation)
    for operation in documented():
        response = site(office).test_client().delete(operation.split()[1])
        seen[operation].add(str(response.status_code))
    assert seen == documented()


def documented() -> dict[str, set[str]]:
    """The statuses in the document, by method and path."""
    return {
        f"{method.upper()} {path}": set(described["responses"])
        for path, methods in DOCUMENT["paths"].items()
        for method, described in methods.items()
        if method != "parameters"
    }


def site(office: Office, clock: Callable[[], datetime] = lambda: NOW) -> Flask:
    return assemble(office, activation="http://127.0.0.1:8001", clock=clock)


def broken_clock() -> datetime:
    raise OSError("no clock")


def without_base(office: Office) -> Office:
    """The same office on a machine whose Python cannot be put into an image."""

    def no_base() -> Base:
        raise MachineError("Not installed here: a package.")

    return Office(office.keys, office.store, no_base)
