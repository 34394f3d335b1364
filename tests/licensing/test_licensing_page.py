"""docs/licensing.md is true: its drawings are the tables, and its sizes are those of real messages."""

import re
from collections.abc import Iterator
from itertools import product

import pytest
import qrcode
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.licensing.issuing import Vendor
from tests.licensing.test_rules import EVENTS, T, instance, slot
from wizard.licensing.protocol.claims import canonical_json, sign_claims
from wizard.licensing.protocol.config import write_private_config
from wizard.licensing.protocol.messages import (
    Beat,
    Body,
    Certificate,
    Deauthorize,
    Feedback,
    Register,
    Release,
    Result,
    Retirement,
    seal_message,
)
from wizard.licensing.protocol.qr import ChallengeBody, Reason, derive_keys, seal, to_url
from wizard.licensing.rules import project as projects
from wizard.licensing.rules.events import Boot, Charge, Damage, Judge, Retire
from wizard.licensing.rules.instance import Instance, SlotState, State
from wizard.licensing.rules.limits import DAY, HEAL, RECONNECT, Millis
from wizard.licensing.rules.project import Loss, ProjectState, Registration, follow, lapse
from wizard.licensing.rules.server import serve, settle
from wizard.settings import ROOT

PAGE = (ROOT / "docs" / "licensing.md").read_text()
Edges = set[tuple[str, str]]

SLOTS = {
    State.ACTIVE: ((), (slot(),), (slot(SlotState.FAILED),), (slot(SlotState.RELEASED),)),
    State.WINDOW: ((slot(SlotState.AWAITING),), (slot(), slot(SlotState.AWAITING, node="b"))),
}
"""What slots an instance has in these states; in the others none that is held."""
SPANS: tuple[Millis, ...] = (1, RECONNECT + 1, DAY + 1, HEAL + 1)
BESIDES = (Damage, Retire)
"""The two that the drawing leaves to a sentence, since they are possible in every state."""


def drawn(first: str) -> Edges:
    """The arrows of the diagram that begins with that state."""
    (diagram,) = [text for text in re.findall(r"```mermaid\n(.+?)```", PAGE, re.DOTALL) if f"[*] --> {first}\n" in text]
    return set(re.findall(r"^    (\w+) --> (\w+)", diagram, re.MULTILINE))


def server_edges() -> Iterator[tuple[str, str]]:
    events = [event for event in EVENTS if not isinstance(event, BESIDES)]
    yield State.NEW.value, serve(Instance(), Boot(1), T).after.state.value
    for state in set(State) - {State.NEW}:
        for slots, event, span in product(SLOTS.get(state, ((),)), events, SPANS):
            before = instance(state, *slots)
            if not isinstance(event, Boot):
                settled = settle(before, T + span)
                yield state.value, settled.state.value
                before = settled
            if isinstance(event, Judge):
                before = serve(before, Charge(event.challenge), T + 1).after
            yield before.state.value, serve(before, event, T + span).after.state.value


def project_edges() -> Iterator[tuple[str, str]]:
    events: tuple[projects.ProjectEvent, ...] = (
        projects.Accepted(),
        projects.Feedback(),
        projects.Feedback(DAY),
        projects.NoAnswer(),
        projects.Refused(Loss.UNKNOWN),
    )
    for state, event, span in product(ProjectState, events, SPANS):
        before = Registration(state=state, feedback=T)
        lapsed = lapse(before, T + span)
        yield state.value, lapsed.state.value
        yield lapsed.state.value, follow(lapsed, event, T + span).after.state.value


def test_the_drawing_of_the_authorization_application_is_its_table() -> None:
    assert drawn("NEW") == {(before, after) for before, after in server_edges() if before != after}


def test_the_drawing_of_the_project_is_its_table() -> None:
    assert drawn("UNREGISTERED") == {(before, after) for before, after in project_edges() if before != after}


HEX = "ab" * 32
BODIES: tuple[Body, ...] = (
    Register(project="Sales", nodes=("node-a", "node-b"), sequence=1, nonce="0" * 32),
    Certificate(
        instance=HEX,
        licence="0" * 16,
        company="Example Company",
        project="Sales",
        nodes=("node-a", "node-b"),
        maximum=2,
        registered=T,
        request=HEX,
    ),
    Beat(node="node-a", sequence=2, nonce="0" * 32, last=HEX),
    Feedback(result=Result.OK, request=HEX, down_ms=None),
    Deauthorize(sequence=3, nonce="0" * 32),
    Release(result=Result.RELEASED, request=HEX),
)


def size(what: str) -> tuple[int, str]:
    """The bytes that the table gives, and what stands beside them."""
    found = re.search(rf"^\| {what} \| (\d+) \| (.*) \|$", PAGE, re.MULTILINE)
    assert found, what
    return int(found[1]), found[2]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.KIND)
def test_the_page_says_how_large_a_message_is(body: Body) -> None:
    assert size(f"`{body.KIND}`")[0] == len(canonical_json(seal_message(body, Ed25519PrivateKey.generate())))


def test_the_page_says_how_large_the_rest_is() -> None:
    vendor, agreement, signing = Vendor(), X25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    claims, public = vendor.claims(registrations=2), agreement.public_key().public_bytes_raw()
    keys = derive_keys(
        agreement, bytes.fromhex(claims.vendor_key), licence=claims.licence, kid=claims.kid, instance_key=public
    )
    assert size("claims, signed")[0] == len(sign_claims(claims, vendor.signing))

    body = ChallengeBody(
        kid=claims.kid,
        licence=claims.licence,
        instance_key=public,
        build=claims.build,
        counter=1,
        nonce=bytes(16),
        minute=1,
        reason=Reason.FIRST,
    )
    qr = seal(body, keys)
    url = to_url("https://activate.example.com", qr)
    drawing = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M)
    drawing.add_data(url)
    drawing.make()
    assert size("challenge") == (len(qr), f"QR: {len(url)} characters, version {drawing.version}, level M")

    end = Retirement(instance=public.hex(), licence=claims.licence, counter=7, retired=T)
    written = [
        len(
            write_private_config(
                claims, instance=public, signing=signing.public_key().public_bytes_raw(), keys=keys, retirement=message
            )
        )
        for message in (None, seal_message(end, signing))
    ]
    alone, beside = size("`privateConfig`")
    retired = re.search(r"(\d+) with the statement", beside)
    assert retired
    for told, length in zip((alone, int(retired[1])), written, strict=True):
        assert abs(told - length) <= 12, "more than the four words can differ in length"
