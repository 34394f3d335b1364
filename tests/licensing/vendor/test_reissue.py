"""A new licence takes over from an older one only when that one has ended (R13)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.licensing.vendor.instances import NOW, ORDER, Instance, issued, small_office
from wizard.licensing.protocol.api import PRIVATE_CONFIG
from wizard.licensing.protocol.config import PrivateConfig, read_private_config
from wizard.licensing.protocol.messages import Retirement, seal_message
from wizard.licensing.protocol.qr import ChallengeBody, Reason, seal, to_path
from wizard.licensing.server.identity import open_identity
from wizard.licensing.vendor.office import Changes, Issued, Office
from wizard.licensing.vendor.reissue import ReissueError
from wizard.licensing.vendor.rules import LicenceState, Refusal, Refused


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = small_office(tmp_path)
    yield office
    office.close()


@pytest.fixture
def instance(office: Office) -> Instance:
    """An installation that had a code."""
    instance = Instance(issued(office))
    office.decide(instance.scan(), issue=True, now=NOW)
    return instance


def config_of(instance: Instance, *, retired: bool = False) -> PrivateConfig:
    return read_private_config(instance.private_config(retired=retired))


def reissue(office: Office, config: PrivateConfig, changes: Changes | None = None) -> Issued:
    return office.reissue(config, changes or Changes(), ORDER.activation, NOW)


def refusal(office: Office, config: PrivateConfig) -> str:
    before = office.records()
    with pytest.raises(ReissueError) as refused:
        reissue(office, config)
    assert refused.value.todo
    assert office.records() == before
    return refused.value.what


def test_the_whole_component_migration(office: Office, instance: Instance) -> None:
    office.destroy(instance.claims.licence, NOW)
    claims = reissue(office, config_of(instance)).claims
    assert (claims.company, claims.project, claims.registrations) == (ORDER.company, ORDER.project, 2)
    assert claims.supersedes == instance.claims.licence
    new = Instance(claims)
    case = office.decide(new.scan(reason=Reason.COMPONENT_MIGRATION), issue=True, now=NOW)
    assert case.code
    with pytest.raises(Refused) as refused:
        office.look(instance.scan(), NOW)
    assert refused.value.refusal is Refusal.DESTROYED


def test_company_project_and_registrations_can_be_others(office: Office, instance: Instance) -> None:
    office.destroy(instance.claims.licence, NOW)
    claims = reissue(office, config_of(instance), Changes(company="C", project="P", registrations=9)).claims
    assert (claims.company, claims.project, claims.registrations) == ("C", "P", 9)


def test_what_may_still_be_running_is_to_be_destroyed_first(office: Office, instance: Instance) -> None:
    config = config_of(instance)
    assert "may still be running" in refusal(office, config)
    office.destroy(instance.claims.licence, NOW)
    assert reissue(office, config).claims.supersedes == instance.claims.licence


def test_what_has_ended_itself_is_ended_here_too(office: Office, instance: Instance) -> None:
    reissue(office, config_of(instance, retired=True))
    old = office.record(instance.claims.licence).licence
    assert (old.state, old.destroyed) == (LicenceState.DESTROYED, NOW)


def test_a_licence_of_nobody_here_is_refused(office: Office, instance: Instance, tmp_path: Path) -> None:
    elsewhere = small_office(tmp_path / "elsewhere")
    other = Instance(issued(elsewhere))
    elsewhere.close()
    assert "not in these records" in refusal(office, config_of(other, retired=True))


def test_a_privateconfig_that_the_instance_did_not_write_is_refused(office: Office, instance: Instance) -> None:
    """Whoever knows all of it but the shared key, and signs a retirement with a key of their own."""
    known = instance.claims
    forger = Instance(issued(office))
    forged = config_of(forger.under(known), retired=True)
    assert "bound to another installation" in refusal(office, forged)
    stolen = PrivateConfig(**vars(forged) | {"instance": instance.key.hex()})
    assert "not written by the installation" in refusal(office, stolen)


def test_an_instance_key_that_cannot_be_agreed_with_is_refused(office: Office, instance: Instance) -> None:
    config = PrivateConfig(**vars(config_of(instance, retired=True)) | {"instance": "00" * 32})
    assert "not written by the installation" in refusal(office, config)


def test_a_licence_that_never_had_a_code_needs_no_successor(office: Office) -> None:
    assert "never had a code" in refusal(office, config_of(Instance(issued(office)), retired=True))


def test_two_successors_are_never_issued_unless_the_first_is_destroyed(office: Office, instance: Instance) -> None:
    config = config_of(instance, retired=True)
    first = reissue(office, config).claims.licence
    assert f"{first} was already issued" in refusal(office, config)
    office.destroy(first, NOW)
    assert reissue(office, config).claims.supersedes == instance.claims.licence


def test_a_migration_can_follow_a_migration(office: Office, instance: Instance) -> None:
    second = Instance(reissue(office, config_of(instance, retired=True)).claims)
    office.decide(second.scan(), issue=True, now=NOW)
    third = reissue(office, config_of(second, retired=True)).claims
    assert third.supersedes == second.claims.licence
    assert office.decide(Instance(third).scan(), issue=True, now=NOW).code


def test_the_file_that_the_real_authorization_application_writes_is_accepted(office: Office, tmp_path: Path) -> None:
    identity = open_identity(tmp_path / "config", issued(office))
    keys = identity.keys
    body = ChallengeBody(
        kid=identity.claims.kid,
        licence=identity.claims.licence,
        instance_key=identity.public,
        build=identity.claims.build,
        counter=1,
        nonce=bytes(16),
        minute=int(NOW.timestamp()) // 60,
        reason=Reason.FIRST,
    )
    office.decide(to_path(seal(body, keys)), issue=True, now=NOW)
    statement = Retirement(instance=identity.public.hex(), licence=identity.claims.licence, counter=1, retired=0)
    identity.publish(seal_message(statement, identity.signing))
    config = read_private_config((tmp_path / "config" / PRIVATE_CONFIG).read_bytes())
    assert reissue(office, config).claims.supersedes == identity.claims.licence
