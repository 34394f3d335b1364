"""`flask --app app vendor …`: the vendor's desk in a terminal."""

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from wizard.licensing.protocol.claims import ClaimsError
from wizard.licensing.protocol.config import LARGEST_PRIVATE_CONFIG, PrivateConfigError, read_private_config
from wizard.licensing.protocol.request import MOST_REGISTRATIONS
from wizard.licensing.vendor import report
from wizard.licensing.vendor.base import use_built, use_own
from wizard.licensing.vendor.building import NoEngineError, built_archive
from wizard.licensing.vendor.compiling import CompilingError
from wizard.licensing.vendor.context import Python, stage
from wizard.licensing.vendor.errors import VendorError
from wizard.licensing.vendor.image import ARCHIVE
from wizard.licensing.vendor.keys import PUBLIC_FILE
from wizard.licensing.vendor.layers import Base
from wizard.licensing.vendor.machine import MachineError
from wizard.licensing.vendor.mail import Mail, read_mail
from wizard.licensing.vendor.office import Changes, Issued, Office, Order, open_office
from wizard.licensing.vendor.rules import LicenceState


def data_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the vendor keeps its data: $VENDOR_DATA, or `vendor` in the wizard's data folder."""
    chosen = environ.get("VENDOR_DATA")
    return Path(chosen) if chosen else Path(environ.get("WIZARD_DATA", "instance")) / "vendor"


@contextmanager
def the_office() -> Iterator[Office]:
    office = open_office(data_folder())
    try:
        yield office
    finally:
        office.close()


class Desk(click.Group):
    """Says in a sentence what went wrong, and ends with 1; a traceback helps nobody at a desk."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (VendorError, ClaimsError, CompilingError, MachineError, PrivateConfigError) as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader of the output has left: click's own case
                raise
            raise click.ClickException(f"{error}. Check that the file is there, and that it can be used.") from error


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
REGISTRATIONS = click.IntRange(1, MOST_REGISTRATIONS)
activation_option = click.option(
    "--activation",
    envvar="VENDOR_ACTIVATION",
    default="http://127.0.0.1:8001",
    show_default=True,
    help="Base URL of the activation page, as phones reach it.",
)
out_option = click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=ARCHIVE,
    show_default=True,
    help="Where to write the image.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group(cls=Desk)
def vendor() -> None:
    """Issue licence images, end licences, and look at what was issued."""


@vendor.command()
@click.option("--company", help="Company name, as in the contract.")
@click.option("--project", help="Project name.")
@click.option("--registrations", type=REGISTRATIONS, help="Maximum number of registrations.  [default: 1]")
@click.option("--email", type=FILE, help="A request as it came in (.eml), instead of the three above.")
@click.option("--contract-address", multiple=True, help="An address in the contract; the sender must be one of them.")
@activation_option
@out_option
def issue(
    company: str | None,
    project: str | None,
    registrations: int | None,
    email: Path | None,
    contract_address: tuple[str, ...],
    activation: str,
    out: Path,
) -> None:
    """Issue a licence, and write its image as a `docker save` archive.

    With a privateConfig attached to the request, the new licence takes over from the one in it, as with re-issue.
    """
    if email:
        if company or project or registrations:
            raise click.UsageError("--email brings the company, the project and the registrations itself.")
        issue_by_mail(read_mail(email, contract_address), bool(contract_address), activation, out)
    elif company and project:
        order = Order(company=company, project=project, registrations=registrations or 1, activation=activation)
        with the_office() as office:
            hand_out(office, office.issue(order, now()), out)
    else:
        raise click.UsageError("Give --company and --project, or the request with --email.")


def issue_by_mail(mail: Mail, is_checked: bool, activation: str, out: Path) -> None:
    request, config = mail.request, mail.private_config
    if config and request.company != config.company:
        raise VendorError(
            f"The request comes from {request.company}, and its privateConfig belongs to {config.company}.",
            "If the company has a new name: vendor re-issue --private-config FILE --company NAME",
        )
    with the_office() as office:
        if config:
            changes = Changes(project=request.project, registrations=request.registrations)
            issued = office.reissue(config, changes, activation, now())
        else:
            order = Order(
                company=request.company,
                project=request.project,
                registrations=request.registrations,
                activation=activation,
            )
            issued = office.issue(order, now())
        hand_out(office, issued, out)
    click.echo(f"Contract signed {request.signed:%Y/%m/%d}; project version {request.version}")
    in_contract = "is in the contract" if is_checked else "was not checked: give --contract-address"
    click.echo(f"Sender {mail.sender} {in_contract}")


@vendor.command(name="re-issue")
@click.option("--private-config", type=FILE, required=True, help="The file out of /app/config.")
@click.option("--company", help="Company name, if it changed.")
@click.option("--project", help="Project name, if it changed.")
@click.option("--registrations", type=REGISTRATIONS, help="Maximum number, if it changed.")
@activation_option
@out_option
def re_issue(
    private_config: Path,
    company: str | None,
    project: str | None,
    registrations: int | None,
    activation: str,
    out: Path,
) -> None:
    """Issue a licence that takes over from the one in a privateConfig.

    That one must have ended: by `destroy`, or by the installation itself, whose privateConfig then says so.
    """
    with private_config.open("rb") as file:
        config = read_private_config(file.read(LARGEST_PRIVATE_CONFIG + 1))
    changes = Changes(company=company, project=project, registrations=registrations)
    with the_office() as office:
        hand_out(office, office.reissue(config, changes, activation, now()), out)


def hand_out(office: Office, issued: Issued, out: Path) -> None:
    """Write the image. A licence whose image cannot be written is ended again: nobody has it."""
    claims = issued.claims
    try:
        issued.archive.write(out)
    except OSError:
        office.destroy(claims.licence, now())
        raise
    click.echo(f"Licence {claims.licence} for {claims.company} / {claims.project} ({claims.registrations})")
    if claims.supersedes:
        click.echo(f"It takes over from {claims.supersedes} with its first code")
    click.echo(f"{click.format_filename(out)}  {issued.archive.size / 1e6:.0f} MB")


@vendor.command()
@click.argument("licence")
@click.option("--yes", is_flag=True, help="Do not ask.")
def destroy(licence: str, yes: bool) -> None:
    """End LICENCE for good: no scan of it gets a code any more.

    The first step of a component migration. An installation that is running goes on until it needs a code again.
    """
    with the_office() as office:
        record = office.record(licence)
        if record.licence.state is not LicenceState.DESTROYED:
            if not yes:
                click.echo(report.facts(record, now()))
                click.confirm("Destroy it? No scan of it gets a code any more, and this cannot be undone.", abort=True)
            record = office.destroy(licence, now())
    click.echo(f"Licence {licence} was {report.state(record)}")


@vendor.command()
@click.argument("licence")
def unlock(licence: str) -> None:
    """Count the day's challenges anew, and mark alarms as seen.

    20 challenges are answered in 24 hours; unlocking allows 20 more. It does not free the licence from its
    installation: a new one needs a new image (re-issue). Nor does an alarm lock anything: the scan that raised it got
    no code, and a later QR code of the same installation, with a higher counter, can.
    """
    with the_office() as office:
        before = office.record(licence)
        office.unlock(licence, now())
    forgiven = len(before.licence.counted(now()))
    seen = sum(alarm.seen is None for alarm in before.alarms)
    click.echo(f"Challenges no longer counted: {forgiven}. Alarms marked as seen: {seen}.")
    if before.licence.state is not LicenceState.ACTIVE:
        click.echo(f"The licence is {before.licence.state}, and gives no codes all the same.")


@vendor.command(name="list")
@json_option
def list_licences(as_json: bool) -> None:
    """List the licences, the newest last."""
    with the_office() as office:
        records = office.records()
    if as_json:
        click.echo(json.dumps([report.document(record) for record in records], indent=2, ensure_ascii=False))
    else:
        click.echo(report.table(report.LICENCE_COLUMNS, map(report.licence_row, records)))


@vendor.command()
@click.argument("licence")
@json_option
def show(licence: str, as_json: bool) -> None:
    """Show what became of LICENCE: its answers and its alarms."""
    with the_office() as office:
        record = office.record(licence)
    if as_json:
        click.echo(json.dumps(report.document(record), indent=2, ensure_ascii=False))
        return
    click.echo(report.facts(record, now()))
    if record.licence.answers:
        click.echo("\n" + report.table(report.ANSWER_COLUMNS, map(report.answer_row, record.licence.answers)))
    if record.alarms:
        rows = [report.alarm_row(licence, alarm) for alarm in record.alarms]
        click.echo("\n" + report.table(report.ALARM_COLUMNS, rows))


@vendor.command()
@json_option
def alarms(as_json: bool) -> None:
    """List what looks like copies and rollbacks, the newest last."""
    with the_office() as office:
        raised = [(record.licence.claims.licence, alarm) for record in office.records() for alarm in record.alarms]
    raised.sort(key=lambda pair: pair[1].at)
    if as_json:
        documents = [report.alarm_document(licence, alarm) for licence, alarm in raised]
        click.echo(json.dumps(documents, indent=2, ensure_ascii=False))
    elif raised:
        click.echo(report.table(report.ALARM_COLUMNS, [report.alarm_row(*pair) for pair in raised]))
    else:
        click.echo("There are no alarms.")


@vendor.command()
@click.option("--from", "archive", type=FILE, help="An image built from the Dockerfile, as `docker save` writes it.")
@click.option("--build", is_flag=True, help="Build one now; without an engine at hand, as --own.")
@click.option("--own", is_flag=True, help="This machine's own Python.")
@click.option("--engine", default="", help="With --build: docker, podman, or another command line; none for --own.")
@click.option(
    "--image", default="", help="With --build: the base image, which has a Python.  [default: python:3.12-slim]"
)
def base(archive: Path | None, build: bool, own: bool, engine: str, image: str) -> None:
    """Say upon what licence images are issued, or choose it."""
    if bool(archive) + build + own > 1:
        raise click.UsageError("Give one of --from, --build and --own.")
    if build and engine != "none":
        shown(build_base(engine, image))
    elif archive:
        shown(use_built(data_folder(), archive))
    elif own or build:
        shown(use_own(data_folder()))
    else:
        with the_office() as office:
            shown(office.base())


def build_base(engine: str, image: str) -> Base:
    """Built by an engine; where there is none, and none was asked for by name, this machine's own Python."""
    try:
        with built_archive(engine, image) as archive:
            return use_built(data_folder(), archive)
    except NoEngineError as error:
        click.echo(f"{error.what} So it is made without an engine.")
        return use_own(data_folder())


def shown(base: Base) -> None:
    click.echo(f"Licence images are issued upon {base.origin}: {base.architecture}, {base.size / 1e6:.0f} MB")


@vendor.command(name="stage")
@click.argument("folder", type=click.Path(exists=False, path_type=Path))
@click.option("--python", default="3.12", show_default=True, help="Version of the base image's Python.")
@click.option("--machine", default="x86_64", show_default=True, help="Its machine.")
def stage_context(folder: Path, python: str, machine: str) -> None:
    """Write the context of the Dockerfile into FOLDER, to build it by hand or elsewhere."""
    if folder.exists():
        raise VendorError(f"{folder} is there already.", "Name a folder that is to be made.")
    stage(folder, Python(python, machine))
    click.echo(f"docker build --build-arg BASE=python:{python}-slim {click.format_filename(folder)}")


@vendor.command()
def keys() -> None:
    """Show the vendor's public keys, which are made at the first call."""
    with the_office() as office:
        click.echo(f"{data_folder() / PUBLIC_FILE}")
        click.echo(f"signing     kid {office.keys.kid}  {office.keys.public[office.keys.kid].public_bytes_raw().hex()}")
        click.echo(f"activation  {office.keys.activation_public}")


def now() -> datetime:
    return datetime.now(UTC)
