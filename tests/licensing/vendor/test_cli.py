"""The vendor's desk in a terminal."""

import json
import shutil
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.licensing.vendor import saved
from tests.licensing.vendor.instances import Instance
from tests.licensing.vendor.saved import save
from tests.licensing.vendor.test_mail import REQUEST, SENDER, message
from wizard.licensing.protocol.claims import CLAIMS_PATH, Claims, load_vendor_keys, read_claims
from wizard.licensing.protocol.words import fingerprint_words
from wizard.licensing.vendor.cli import data_folder, vendor
from wizard.licensing.vendor.office import open_office


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys and the base, for all of these tests: making the base takes a second."""
    folder = tmp_path_factory.mktemp("made")
    office = open_office(folder)
    office.base()
    office.close()
    return folder


@pytest.fixture
def folder(base: Path, tmp_path: Path) -> Path:
    """A data folder of one's own, with that base; nothing is issued yet."""
    folder = tmp_path / "vendor"
    shutil.copytree(base / "keys", folder / "keys")
    (folder / "base").symlink_to(base / "base")
    return folder


def run(folder: Path, *arguments: str, typed: str = "") -> Result:
    return CliRunner(env={"VENDOR_DATA": str(folder)}).invoke(vendor, arguments, input=typed)


def told(folder: Path, *arguments: str, typed: str = "") -> str:
    """What a command prints that works."""
    result = run(folder, *arguments, typed=typed)
    assert result.exit_code == 0, result.output
    return result.output


def refused(folder: Path, *arguments: str) -> str:
    """What a command says that does not: words, never a traceback."""
    result = run(folder, *arguments)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.startswith("Error: ")
    return result.stderr


def claims_in(image: Path, folder: Path) -> Claims:
    with tarfile.open(image) as archive:
        [layers] = [entry["Layers"] for entry in json.load(archive.extractfile("manifest.json"))]  # type: ignore[arg-type]
        with tarfile.open(fileobj=archive.extractfile(layers[-1])) as layer:
            envelope = layer.extractfile(CLAIMS_PATH).read()  # type: ignore[union-attr]
    return read_claims(envelope, load_vendor_keys((folder / "vendor.pub").read_bytes()))


def issue(folder: Path, *arguments: str) -> Claims:
    out = folder.parent / "image.tar"
    told(folder, "issue", "--company", "A Company", "--project", "P", "--out", str(out), *arguments)
    return claims_in(out, folder)


def scanned(folder: Path, instance: Instance, *, at: datetime | None = None) -> None:
    """Its code was issued, now by the clock."""
    office = open_office(folder)
    office.decide(instance.scan(at=at or datetime.now(UTC)), issue=True, now=datetime.now(UTC))
    office.close()


def cloned(folder: Path, instance: Instance) -> None:
    """A copy of it was scanned, too, and raised an alarm."""
    office = open_office(folder)
    instance.counter -= 1
    with pytest.raises(Exception, match="cloned"):
        office.look(instance.scan(), datetime.now(UTC))
    office.close()


def test_issue_writes_an_image_and_list_shows_its_licence(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "image.tar"
    said = told(folder, "issue", "--company", "A Company", "--project", "P", "--registrations", "3", "--out", str(out))
    claims = claims_in(out, folder)
    assert (claims.company, claims.project, claims.registrations, claims.supersedes) == ("A Company", "P", 3, None)
    assert f"Licence {claims.licence} for A Company / P (3)" in said
    assert f"{out}  {out.stat().st_size / 1e6:.0f} MB" in said
    heading, line = told(folder, "list").splitlines()
    assert heading.split() == ["LICENCE", "ISSUED", "STATE", "INSTALLATION", "CODES", "ALARMS", "REGISTRATIONS", "FOR"]
    assert line.startswith(claims.licence)
    assert line.endswith("active  none yet      0      0       3              A Company / P")


def test_what_is_issued_is_said_once_in_fields_or_in_a_mail(folder: Path, tmp_path: Path) -> None:
    mail = tmp_path / "request.eml"
    mail.write_bytes(message().as_bytes())
    for arguments in (["--company", "A"], ["--project", "P"], [], ["--email", str(mail), "--company", "A"]):
        result = run(folder, "issue", *arguments)
        assert result.exit_code == 2
        assert "--email" in result.stderr
    assert told(folder, "list", "--json") == "[]\n"


def test_issue_from_a_mail(folder: Path, tmp_path: Path) -> None:
    mail, out = tmp_path / "request.eml", tmp_path / "image.tar"
    mail.write_bytes(message().as_bytes())
    said = told(folder, "issue", "--email", str(mail), "--out", str(out))
    claims = claims_in(out, folder)
    assert (claims.company, claims.project, claims.registrations) == (REQUEST.company, REQUEST.project, 3)
    assert "Contract signed 2024/03/09; project version 11.0.19 (JAR 2024-03-01)" in said
    assert f"Sender {SENDER} was not checked: give --contract-address" in said
    arguments = ("issue", "--email", str(mail), "--out", str(out), "--contract-address")
    assert f"Sender {SENDER} is in the contract" in told(folder, *arguments, SENDER)
    assert "is not in the contract" in refused(folder, *arguments, "other@example.com")


def test_a_mail_that_is_refused_issues_nothing(folder: Path, tmp_path: Path) -> None:
    mail = tmp_path / "request.eml"
    mail.write_bytes(message().as_bytes().replace(b"Subject: ", b"X-Subject: "))
    assert "The title is not" in refused(folder, "issue", "--email", str(mail), "--out", str(tmp_path / "o"))
    assert told(folder, "list", "--json") == "[]\n"
    assert not (tmp_path / "o").exists()


def test_a_component_migration_by_mail(folder: Path, tmp_path: Path) -> None:
    old = Instance(issue(folder, "--company", REQUEST.company))
    scanned(folder, old)
    mail, out = tmp_path / "request.eml", tmp_path / "image.tar"
    request = message()
    request.add_attachment(old.private_config(), maintype="application", subtype="json", filename="privateConfig")
    mail.write_bytes(request.as_bytes())
    arguments = ("issue", "--email", str(mail), "--out", str(out))
    assert f"destroy it first: vendor destroy {old.claims.licence}" in refused(folder, *arguments)
    told(folder, "destroy", old.claims.licence, "--yes")
    assert f"takes over from {old.claims.licence}" in told(folder, *arguments)
    assert claims_in(out, folder).supersedes == old.claims.licence


def test_a_privateconfig_of_another_company_than_the_mails_is_refused(folder: Path, tmp_path: Path) -> None:
    old = Instance(issue(folder))
    scanned(folder, old)
    request = message()
    request.add_attachment(old.private_config(retired=True), maintype="a", subtype="b", filename="privateConfig")
    mail = tmp_path / "request.eml"
    mail.write_bytes(request.as_bytes())
    said = refused(folder, "issue", "--email", str(mail), "--out", str(tmp_path / "o"))
    assert f"The request comes from {REQUEST.company}, and its privateConfig belongs to A Company" in said


def test_re_issue_from_a_privateconfig(folder: Path, tmp_path: Path) -> None:
    old = Instance(issue(folder, "--registrations", "4"))
    scanned(folder, old)
    config, out = tmp_path / "privateConfig", tmp_path / "new.tar"
    config.write_bytes(old.private_config())
    arguments = ("re-issue", "--private-config", str(config), "--out", str(out))
    assert "may still be running" in refused(folder, *arguments)
    config.write_bytes(old.private_config(retired=True))
    told(folder, *arguments, "--project", "Q")
    claims = claims_in(out, folder)
    assert (claims.company, claims.project, claims.registrations) == ("A Company", "Q", 4)
    assert claims.supersedes == old.claims.licence
    assert "destroyed on" in told(folder, "show", old.claims.licence)


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, b"{}", b"x" * 10_000_000])
def test_what_is_no_privateconfig_is_refused_in_words(folder: Path, tmp_path: Path, content: bytes) -> None:
    config = tmp_path / "privateConfig"
    config.write_bytes(content)
    assert "privateConfig" in refused(folder, "re-issue", "--private-config", str(config))


def test_destroy_asks_first_and_is_final_and_can_be_said_twice(folder: Path) -> None:
    licence = issue(folder).licence
    assert run(folder, "destroy", licence, typed="n\n").exit_code == 1
    assert run(folder, "destroy", licence).exit_code == 1
    assert "active" in told(folder, "list")
    said = told(folder, "destroy", licence, typed="y\n")
    assert "A Company" in said
    assert f"Licence {licence} was destroyed on {datetime.now(UTC):%Y-%m-%d}" in said
    [record] = json.loads(told(folder, "list", "--json"))
    assert told(folder, "destroy", licence).startswith(f"Licence {licence} was destroyed on")
    assert json.loads(told(folder, "show", licence, "--json")) == record
    assert record["state"] == "destroyed"


def test_show_tells_answers_and_alarms_with_their_times(folder: Path) -> None:
    instance = Instance(issue(folder))
    scanned(folder, instance)
    cloned(folder, instance)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    words = " ".join(fingerprint_words(instance.key))
    lines = told(folder, "show", instance.claims.licence).splitlines()
    assert f"{'Installation':16}  {words}" in lines
    assert f"{'Limit of the day':16}  1 of 20 challenges in 24 hours" in lines
    assert any(line.startswith(today) and line.endswith(f"{words}  issued") for line in lines)
    assert any(line.endswith("the same counter twice: a copy, or a rollback  new") for line in lines)
    document = json.loads(told(folder, "show", instance.claims.licence, "--json"))
    assert [answer["counter"] for answer in document["answers"]] == [1]
    assert [(alarm["counter"], alarm["kind"], alarm["seen"]) for alarm in document["alarms"]] == [(1, "cloned", None)]
    assert document["instance"] == instance.key.hex()


def test_alarms_of_all_licences_are_listed_and_unlocking_marks_them_as_seen(folder: Path) -> None:
    assert told(folder, "alarms") == "There are no alarms.\n"
    instances = [Instance(issue(folder)) for _ in range(2)]
    for instance in instances:
        scanned(folder, instance)
        cloned(folder, instance)
    assert told(folder, "list").count("1 (1 new)") == 2
    first, second = (instance.claims.licence for instance in instances)
    assert "Challenges no longer counted: 1. Alarms marked as seen: 1." in told(folder, "unlock", first)
    raised = json.loads(told(folder, "alarms", "--json"))
    assert [(alarm["licence"], alarm["seen"] is None) for alarm in raised] == [(first, False), (second, True)]
    assert [line.split()[-1] for line in told(folder, "alarms").splitlines()] == ["SEEN", "UTC", "new"]
    assert "unlocked on" in told(folder, "show", first)


def test_a_rollback_is_told_from_a_copy(folder: Path) -> None:
    instance = Instance(issue(folder))
    instance.counter = 5
    scanned(folder, instance)
    instance.counter = 3
    with pytest.raises(Exception, match="rolled-back"):
        scanned(folder, instance, at=datetime.now(UTC) + timedelta(minutes=2))
    assert "a lower counter, made later: a rollback" in told(folder, "alarms")


def test_unlocking_says_when_it_does_not_help(folder: Path) -> None:
    licence = issue(folder).licence
    told(folder, "destroy", licence, "--yes")
    assert "is destroyed, and gives no codes all the same" in told(folder, "unlock", licence)


@pytest.mark.parametrize("command", ["show", "unlock", "destroy"])
def test_a_licence_that_is_not_there_is_said_to_be_none(folder: Path, command: str) -> None:
    assert "There is no licence 00. See which there are: vendor list" in refused(folder, command, "00")


def test_columns_stand_beneath_each_other_also_in_chinese(folder: Path) -> None:
    issue(folder, "--company", "帆软", "--project", "报表")
    issue(folder)
    heading, *lines = told(folder, "list").splitlines()
    assert [line.index("A C" if "A C" in line else "帆") for line in lines] == [heading.index("FOR")] * 2


def test_the_base_is_said_and_chosen(tmp_path: Path) -> None:
    built = save(tmp_path, saved.podman(saved.Image()))
    data = tmp_path / "vendor"
    assert "upon an image built from the Dockerfile: amd64" in told(data, "base", "--from", str(built))
    assert "upon an image built from the Dockerfile" in told(data, "base")
    assert "upon this machine's own Python" in told(data, "base", "--build", "--engine", "none")
    assert "upon this machine's own Python" in told(data, "base")
    assert run(data, "base", "--own", "--build").exit_code == 2
    assert "no-such-engine does not answer" in refused(data, "base", "--build", "--engine", "no-such-engine")
    (tmp_path / "nothing.tar").write_bytes(b"")
    assert "No licence image can be made upon this one" in refused(
        data, "base", "--from", str(tmp_path / "nothing.tar")
    )


def test_a_context_is_never_staged_over_something(folder: Path, tmp_path: Path) -> None:
    assert "is there already" in refused(folder, "stage", str(tmp_path))


def test_keys_shows_public_keys_only(folder: Path) -> None:
    shown = told(folder, "keys")
    assert "vendor.pub" in shown
    for path in (folder / "keys").iterdir():
        assert path.read_text().strip() not in shown


def test_an_order_that_cannot_be_issued_is_refused_in_words(folder: Path, tmp_path: Path) -> None:
    said = refused(
        folder, "issue", "--company", "A", "--project", "P", "--activation", "http://x/y", "--out", str(tmp_path / "o")
    )
    assert "The claim 'activation'" in said
    assert not (tmp_path / "o").exists()


def test_a_licence_whose_image_cannot_be_written_is_destroyed_again(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "a file"
    out.write_bytes(b"")
    assert "a file" in refused(folder, "issue", "--company", "A", "--project", "P", "--out", str(out / "image.tar"))
    [record] = json.loads(told(folder, "list", "--json"))
    assert record["state"] == "destroyed"


def test_records_that_cannot_be_read_are_told_in_words(folder: Path) -> None:
    (folder / "vendor.db").write_bytes(b"no database" * 100)
    assert "file is not a database" in refused(folder, "list")


def test_a_data_folder_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert "Not a directory" in refused(tmp_path / "file", "list")


def test_the_data_folder_lies_in_the_wizards_unless_it_is_named() -> None:
    assert data_folder({}) == Path("instance/vendor")
    assert data_folder({"WIZARD_DATA": "state"}) == Path("state/vendor")
    assert data_folder({"WIZARD_DATA": "state", "VENDOR_DATA": "elsewhere"}) == Path("elsewhere")
