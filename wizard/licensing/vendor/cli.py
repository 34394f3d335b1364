"""`flask --app app vendor …`: the vendor's desk in a terminal."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from wizard.licensing.protocol.claims import ClaimsError
from wizard.licensing.vendor.image import ARCHIVE
from wizard.licensing.vendor.keys import PUBLIC_FILE
from wizard.licensing.vendor.machine import MachineError
from wizard.licensing.vendor.office import Office, Order, open_office


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


@click.group()
def vendor() -> None:
    """Issue licence images, and look at what was issued."""


@vendor.command()
@click.option("--company", required=True, help="Company name, as in the contract.")
@click.option("--project", required=True, help="Project name.")
@click.option("--registrations", type=click.IntRange(1, 9999), default=1, show_default=True, help="Maximum number.")
@click.option(
    "--activation",
    envvar="VENDOR_ACTIVATION",
    default="http://127.0.0.1:8001",
    show_default=True,
    help="Base URL of the activation page, as phones reach it.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), default=ARCHIVE, show_default=True
)
def issue(company: str, project: str, registrations: int, activation: str, out: Path) -> None:
    """Issue a licence, and write its image as a `docker save` archive."""
    order = Order(company=company, project=project, registrations=registrations, activation=activation)
    with the_office() as office:
        try:
            archive = office.issue(order, datetime.now(UTC))
        except (ClaimsError, MachineError) as error:
            raise click.ClickException(str(error)) from error
        archive.write(out)
    click.echo(f"{out}  {archive.size / 1e6:.0f} MB")


@vendor.command(name="list")
def list_licences() -> None:
    """List the licences, the newest last."""
    with the_office() as office:
        for licence, alarms in office.licences():
            claims = licence.claims
            bound = "bound" if licence.instance else "not bound"
            given = sum(answer.issued for answer in licence.answers)
            click.echo(
                f"{claims.licence}  {claims.issued}  {licence.state}, {bound}  codes {given}  alarms {alarms}"
                f"  {claims.company} / {claims.project} ({claims.registrations})"
            )


@vendor.command()
def keys() -> None:
    """Show the vendor's public keys, which are made at the first call."""
    with the_office() as office:
        click.echo(f"{data_folder() / PUBLIC_FILE}")
        click.echo(f"signing     kid {office.keys.kid}  {office.keys.public[office.keys.kid].public_bytes_raw().hex()}")
        click.echo(f"activation  {office.keys.activation_public}")
