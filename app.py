"""The composition root: the only file that names concrete classes."""

import logging
import os
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
from flask import Flask

from wizard import backends, checking
from wizard.applications import HttpApplications
from wizard.archive.reader import claims_of
from wizard.archive.spool import FileSpool
from wizard.archive.uploads import FolderUploads
from wizard.domain.account import LINK_LIFE
from wizard.errors import InvalidInput
from wizard.flow import Flow
from wizard.inventory import InventoryFile
from wizard.jobs.bell import Bell
from wizard.jobs.queue import Queue
from wizard.jobs.worker import run
from wizard.launch import Child, gunicorn_command, up
from wizard.licensing.protocol.claims import load_vendor_keys
from wizard.licensing.vendor.cli import vendor
from wizard.ports import Accounts, Services, Supervising, Workshop
from wizard.relay import PinnedRelay
from wizard.settings import ROOT, BadSetting, Settings
from wizard.steps import FLOW
from wizard.store.accounts import SqlAccounts
from wizard.store.migrate import migrate
from wizard.store.sql import SqlStore
from wizard.web import furnish
from wizard.web.account import hashed

DEMONSTRATION = ROOT / "wizard" / "demonstration.toml"
IMAGE_PATH = "/demonstration/fanruan_license_server.tar"


def create_app() -> Flask:
    """The wizard as the environment sets it, for gunicorn and for the command line."""
    settings = Settings.from_environ(os.environ)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate(settings.database)
    demonstration_image = settings.vendor_url + IMAGE_PATH if settings.is_demonstration else ""
    app = assemble(
        FLOW,
        services(settings, bell(settings)),
        SqlAccounts(settings.database),
        secret_key=settings.secret_key(),
        demonstration_image=demonstration_image,
    )
    os.environ.setdefault("VENDOR_DATA", str(settings.data / "vendor"))  # for the vendor's own command line
    os.environ.setdefault("VENDOR_ACTIVATION", settings.vendor_url)
    for command in commands(settings):
        app.cli.add_command(command)
    return app


def assemble(
    flow: Flow, services: Services, accounts: Accounts, *, secret_key: str, demonstration_image: str = ""
) -> Flask:
    """The web application over whatever implements the ports: the real things, or fakes."""
    app = Flask(__name__)
    app.secret_key = secret_key
    furnish(app, flow, services, accounts, demonstration_image)
    return app


def clock() -> datetime:
    """The one place where the wizard reads a clock."""
    return datetime.now(UTC)


def bell(settings: Settings) -> Bell:
    return Bell(settings.data / "bell.db")


def inventory(settings: Settings) -> InventoryFile:
    """The projects; those of a demonstration have reference applications, whose addresses follow PORT."""
    applications = settings.applications_url if settings.is_demonstration else ""
    try:
        return InventoryFile(settings.inventory or DEMONSTRATION, applications, settings.allowed_networks)
    except InvalidInput as error:
        problem = error.problem
        words = (problem.happened, problem.why, problem.raw, problem.todo)
        raise BadSetting(" ".join(str(it) for it in words if it)) from error


def services(settings: Settings, bell: Bell) -> Services:
    """What requests use."""
    store = SqlStore(settings.database)
    spool = FileSpool(
        settings.data / "spool",
        settings.vendor_keys,
        takes_unknown=settings.takes_unknown,
        pins_file=settings.pinned_images,
    )
    return Services(
        store=store,
        jobs=Queue(store, FLOW, bell.ring),
        inventory=inventory(settings),
        license_servers=PinnedRelay(),
        spool=spool,
        uploads=FolderUploads(settings.data / "uploads", spool),
        clock=clock,
    )


def workshop(settings: Settings, bell: Bell) -> Workshop:
    """What the worker uses: the same, and the engines."""

    def claims(archive: Path) -> bytes:
        return claims_of(archive, load_vendor_keys(settings.vendor_keys.read_bytes()))

    backend = backends.load(
        settings.backend,
        data=settings.data,
        vendor_keys=settings.vendor_keys,
        claims_of=claims,
        engines=inventory(settings).engines,
        clock=clock,
    )
    return Workshop(**vars(services(settings, bell)), backend=backend, applications=HttpApplications())


def pause(settings: Settings) -> None:
    """Where containers are processes of this machine, they end with the wizard, and start again with it."""
    backend = workshop(settings, bell(settings)).backend
    if isinstance(backend, Supervising):
        backend.pause()


def sign_in_link(settings: Settings) -> str:
    """A new link that lets its holder in once."""
    token = secrets.token_urlsafe(24)
    SqlAccounts(settings.database).add_link(hashed(token), clock(), clock() + LINK_LIFE)
    return f"{settings.url}/sign-in/{token}"


def greeting(settings: Settings) -> str:
    return f"""
  The FineOps Registration Wizard is running at {settings.url}

  Sign in once with this link:  {sign_in_link(settings)}

  Data: {settings.data}. Ctrl-C stops it.
"""


def children(settings: Settings, environ: Mapping[str, str]) -> tuple[Child, ...]:
    """The processes of an installation; a demonstration has the other parties on the same machine."""
    wizard = (
        web_child(settings, environ, "web", "wsgi:app", settings.port),
        child(settings, environ, "worker", [sys.executable, "-m", "flask", "--app", "app", "worker"]),
    )
    if not settings.is_demonstration:
        return wizard
    return (
        *wizard,
        web_child(settings, environ, "vendor", vendor_app(settings), settings.vendor_port),
        child(settings, environ, "applications", applications_command(settings), settings.applications_port),
    )


def vendor_app(settings: Settings) -> str:
    data, url = str(settings.data / "vendor"), settings.vendor_url
    return f"wizard.licensing.vendor.app:create_app({data!r}, activation={url!r})"


def applications_command(settings: Settings) -> list[str]:
    """The reference applications of all projects of the inventory, in one process."""
    projects = [
        f"--project={project.slug}|{project.name}|{','.join(node.slug for node in project.nodes)}"
        for project in inventory(settings).projects()
    ]
    where = ["--data", str(settings.data / "applications"), "--host", settings.host]
    return [
        *(sys.executable, "-m", "wizard.licensing.client"),
        *(*where, "--port", str(settings.applications_port), *projects),
    ]


def web_child(settings: Settings, environ: Mapping[str, str], name: str, app: str, port: int) -> Child:
    return child(settings, environ, name, gunicorn_command(app, settings.host, port), port)


def child(
    settings: Settings, environ: Mapping[str, str], name: str, command: list[str], port: int | None = None
) -> Child:
    return Child(
        name=name,
        command=command,
        environment=environ,
        log=settings.data / "log" / f"{name}.log",
        listens=(settings.host, port) if port else None,
    )


def commands(settings: Settings) -> tuple[click.Command, ...]:
    """What `flask --app app …` can do."""

    @click.command("up")
    def start() -> None:
        """Start everything, and stop it all with Ctrl-C."""
        sys.exit(
            up(
                children(settings, os.environ),
                lock=settings.data / "run.lock",
                ready_url=f"{settings.url}/healthz",
                announce=lambda: greeting(settings),
                afterwards=lambda: pause(settings),
            )
        )

    @click.command("worker")
    def work() -> None:
        """Do the slow work, until told to stop."""
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        rung = bell(settings)
        run(workshop(settings, rung), FLOW, rung)

    @click.command("sign-in-link")
    def link() -> None:
        """Print a link that lets its holder in once."""
        click.echo(sign_in_link(settings))

    @click.group("nodes")
    def nodes() -> None:
        """The nodes of the inventory, as this machine reaches them."""

    @nodes.command("check")
    def check() -> None:
        """Ask each node whether it can run a container; exit status 1 when one cannot."""
        backend, known = workshop(settings, bell(settings)).backend, inventory(settings)
        everyone = [node for project in known.projects() for node in project.nodes]
        all_well = True
        for finding in checking.check(everyone, known.engines, backend.health, clock()):
            click.echo("\n".join(finding.lines))
            all_well = all_well and finding.well
        sys.exit(0 if all_well else 1)

    return start, work, link, nodes, vendor
