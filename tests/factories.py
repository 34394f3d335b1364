"""Values as tests need them: complete and plausible, with only what a test is about given by it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from wizard.domain import person as people
from wizard.domain.account import INVITATION_LIFE, Account, Invitation
from wizard.domain.deployment import (
    Challenge,
    Deployment,
    Endpoint,
    ServerState,
    ServerStatus,
    Slot,
)
from wizard.domain.image import Image
from wizard.domain.inspection import Inspection
from wizard.domain.instance import Health
from wizard.domain.operation import Operation, OperationState, PhaseRecord
from wizard.domain.preflight import Check, Outcome, PortCheck, Preflight
from wizard.domain.project import Node, Project, Role
from wizard.domain.registration import Registration
from wizard.domain.share import HAND_OVER_LIFE, HandOver, ObserverLink
from wizard.text import say

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Value = TypeVar("Value", bound="DataclassInstance")

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DIGEST = "5e" * 32
PIN = "ab" * 32


def an_account(**changes: Any) -> Account:
    return _changed(Account(name="admin", password_hash="scrypt:1$salt$hash", created_at=NOW), changes)


def an_invitation(**changes: Any) -> Invitation:
    invitation = Invitation(
        id="i1",
        token_hash="hash",
        role=people.Role.OBSERVER,
        made_by="admin",
        created_at=NOW,
        expires_at=NOW + INVITATION_LIFE,
    )
    return _changed(invitation, changes)


def an_image(**changes: Any) -> Image:
    image = Image(
        digest=DIGEST,
        image_id="1d" * 32,
        repository="fanruan_license_server",
        tag="1.0.0",
        architecture="amd64",
        size=52_428_800,
        filename="fanruan_license_server.tar",
        company="Harbour Logistics",
        project="Sales reports",
        licence="00112233445566ff",
        registrations=2,
        issued=NOW - timedelta(days=1),
    )
    return _changed(image, changes)


def a_node(**changes: Any) -> Node:
    node = Node(slug="sales-main", name="Main application server", role=Role.MAIN, address="127.0.0.1")
    return _changed(node, changes)


def a_project(**changes: Any) -> Project:
    """A single-node project; its node may run the authorization application."""
    return _changed(Project(slug="sales", name="Sales reports", nodes=(a_node(),)), changes)


def a_cluster(**changes: Any) -> Project:
    """A multi-node project: only `plan-component` may run the authorization application (R3)."""
    nodes = (
        a_node(slug="plan-main", name="Main application server", address="127.0.0.11"),
        a_node(slug="plan-component", name="Component server", role=Role.COMPONENT, address="127.0.0.12"),
        a_node(slug="plan-second", name="Second application server", role=Role.OTHER, address="127.0.0.13"),
    )
    return _changed(Project(slug="plan", name="Planning", nodes=nodes), changes)


def an_endpoint(**changes: Any) -> Endpoint:
    return _changed(Endpoint(address="127.0.0.1", port=18081, pin=PIN), changes)


def a_deployment(**changes: Any) -> Deployment:
    deployment = Deployment(name="license-server-1", node="sales-main", endpoint=an_endpoint(), deployed_at=NOW)
    return _changed(deployment, changes)


def a_port_check(**changes: Any) -> PortCheck:
    return _changed(PortCheck(port=18081, free=True, holder="", next_free=None, checked_at=NOW), changes)


def a_check(**changes: Any) -> Check:
    check = Check(slug="disk", name=say("Free disk"), outcome=Outcome.PASSED, detail=say("2 GB are free."))
    return _changed(check, changes)


def a_preflight(**changes: Any) -> Preflight:
    return _changed(Preflight(port=a_port_check(), checks=(a_check(),)), changes)


def an_inspection(**changes: Any) -> Inspection:
    inspection = Inspection(
        name="license-server-1",
        found=True,
        running=True,
        exit_code=None,
        restarts=0,
        out_of_memory=False,
        log="started\n",
        seen_at=NOW,
    )
    return _changed(inspection, changes)


def a_health(**changes: Any) -> Health:
    return _changed(Health(node="sales-main", well=True, detail=say("Ready."), seen_at=NOW), changes)


def a_challenge(**changes: Any) -> Challenge:
    challenge = Challenge(
        id="c0ffee00c0ffee00",
        url="HTTP://127.0.0.1:8001/L/AEAAAAAA",
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=5),
    )
    return _changed(challenge, changes)


def a_slot(**changes: Any) -> Slot:
    slot = Slot(project="Sales reports", node="main", state="LIVE", registered_at=NOW, last_request_at=None)
    return _changed(slot, changes)


def a_status(**changes: Any) -> ServerStatus:
    status = ServerStatus(
        state=ServerState.UNAUTHENTICATED,
        instance="1f" * 32,
        challenge=None,
        tries_left=6,
        locked_until=None,
        registrations=2,
        slots=(),
        seen_at=NOW,
    )
    return _changed(status, changes)


def a_registration(**changes: Any) -> Registration:
    """A new one, with nothing chosen yet."""
    return _changed(Registration(id="r1", created_at=NOW), changes)


def a_placed_registration(**changes: Any) -> Registration:
    """Image, node and port are chosen; nothing runs yet."""
    return a_registration(
        **{"image": an_image(), "image_accepted": True, "project": a_project(), "node": a_node(), "port": 18081}
        | {"preflight": a_preflight()}
        | changes
    )


def a_deployed_registration(**changes: Any) -> Registration:
    """The authorization application runs; nothing was scanned yet."""
    return a_placed_registration(**{"deployment": a_deployment()} | changes)


def an_operation(**changes: Any) -> Operation:
    operation = Operation(
        id="op1",
        registration_id="r1",
        kind="deploy",
        version=1,
        state=OperationState.QUEUED,
        phases=(PhaseRecord(slug="check"), PhaseRecord(slug="load")),
        created_at=NOW,
    )
    return _changed(operation, changes)


def an_observer_link(**changes: Any) -> ObserverLink:
    link = ObserverLink(
        id="l1",
        token_hash="h1",
        registration_id="r1",
        made_by="admin",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=1),
    )
    return _changed(link, changes)


def a_hand_over(**changes: Any) -> HandOver:
    hand_over = HandOver(
        id="ho1",
        token_hash="h1",
        registration_id="r1",
        account="admin",
        epoch=1,
        browser="a",
        created_at=NOW,
        expires_at=NOW + HAND_OVER_LIFE,
    )
    return _changed(hand_over, changes)


def _changed(value: Value, changes: dict[str, Any]) -> Value:
    return replace(value, **changes)
