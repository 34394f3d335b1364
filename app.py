"""The composition root: the only file that names concrete classes."""

import logging
import os
import secrets
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
from flask import Flask

from wizard import audit, backends, checking, issuers
from wizard.applications import HttpApplications
from wizard.archive.reader import claims_of
from wizard.archive.spool import FileSpool
from wizard.archive.uploads import FolderUploads
from wizard.backends.embedded.processes import SERVER
from wizard.domain.account import LINK_LIFE
from wizard.domain.registration import Registration
from wizard.domain.session import SessionLimits
from wizard.errors import InvalidInput
from wizard.flow import Flow
from wizard.inventory import InventoryFile
from wizard.jobs.bell import Bell
from wizard.jobs.crew import every
from wizard.jobs.queue import Queue
from wizard.jobs.worker import run
from wizard.kiosk import bounds, front, processes, stage, world
from wizard.kiosk.machine import TimeMachine
from wizard.kiosk.making import maker
from wizard.kiosk.settings import KioskSettings
from wizard.kiosk.travel import Travel
from wizard.kiosk.worlds import Worlds
from wizard.launch import Child, gunicorn_command, up
from wizard.licensing.client import ClientError
from wizard.licensing.client.driven import drive
from wizard.licensing.protocol.claims import load_vendor_keys
from wizard.licensing.vendor.app import assemble as assemble_vendor
from wizard.licensing.vendor.cli import vendor
from wizard.licensing.vendor.sample import open_sample_office, write_sample
from wizard.ports import Accounts, Backend, Services, Supervising, Workshop
from wizard.relay import PinnedRelay
from wizard.settings import ROOT, BadSetting, Settings
from wizard.steps import FLOW
from wizard.store.accounts import SqlAccounts
from wizard.store.audit import SqlTrail
from wizard.store.launches import SqlLaunches
from wizard.store.migrate import migrate
from wizard.store.shares import SqlShares, SqlTurns
from wizard.store.sql import SqlStore
from wizard.web import furnish, language
from wizard.web.account import Entrance, hashed
from wizard.web.frames import Embedding
from wizard.web.who import Identify

DEMONSTRATION = ROOT / "wizard" / "demonstration.toml"
IMAGE_PATH = "/demonstration/fanruan_license_server.tar"
WORLDS = "worlds"
"""The folder of a kiosk's visitors, in the data folder."""


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
        embedding=embedding(settings),
        entrance=entrance(settings),
    )
    os.environ.setdefault("VENDOR_DATA", str(settings.data / "vendor"))  # for the vendor's own command line
    os.environ.setdefault("VENDOR_ACTIVATION", settings.vendor_url)
    for command in commands(settings):
        app.cli.add_command(command)
    return app


def assemble(
    flow: Flow,
    services: Services,
    accounts: Accounts,
    *,
    secret_key: str,
    demonstration_image: str = "",
    embedding: Embedding | None = None,
    ways: Sequence[Identify] = (),
    entrance: Entrance | None = None,
) -> Flask:
    """The web application over whatever implements the ports: the real things, or fakes."""
    app = Flask(__name__)
    app.secret_key = secret_key
    furnish(app, flow, services, accounts, demonstration_image, embedding, ways, entrance)
    return app


def entrance(settings: Settings) -> Entrance:
    """How people come in."""
    limits = SessionLimits(idle=settings.idle, absolute=settings.longest_session)
    return Entrance(limits=limits, proxies=settings.trusted_proxies, url=settings.told_url)


def embedding(settings: Settings) -> Embedding | None:
    """Who may show the wizard in a frame; BadSetting when that cannot be read."""
    if settings.embed is None:
        return None
    known, is_https = issuers.read(settings.embed)
    return Embedding(issuers=known, launches=SqlLaunches(settings.database), is_https=is_https)


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
        turns=SqlTurns(settings.database),
        shares=SqlShares(settings.database),
        trail=SqlTrail(settings.database),
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


def travelling(settings: Settings) -> Backend:
    """The embedded engine of a world: its authorization applications follow the clock of the time machine."""
    command = (*SERVER, "--time-machine", str(settings.data / "ahead"))
    return backends.load(
        "embedded",
        data=settings.data,
        vendor_keys=settings.vendor_keys,
        claims_of=lambda archive: claims_of(archive, load_vendor_keys(settings.vendor_keys.read_bytes())),
        clock=clock,
        command=command,
    )


def pause(settings: Settings) -> None:
    """Where containers are processes of this machine, they end with the wizard, and start again with it."""
    backend = workshop(settings, bell(settings)).backend
    if isinstance(backend, Supervising):
        backend.pause()


def sign_in_link(settings: Settings) -> str:
    """A new link that lets its holder in once."""
    token = secrets.token_urlsafe(24)
    SqlAccounts(settings.database).add_link(hashed(token), clock(), clock() + LINK_LIFE)
    audit.note(SqlTrail(settings.database), "make-link", clock())
    return f"{settings.public_url}/sign-in/{token}"


def greeting(settings: Settings) -> str:
    return f"""
  The FineOps Registration Wizard is running at {settings.public_url}

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


def create_kiosk() -> Flask:
    """The kiosk, for gunicorn: one process that begins and ends the worlds of its visitors (docs/kiosk.md)."""
    settings, kiosk = Settings.from_environ(os.environ), KioskSettings.from_environ(os.environ)
    folder, command = settings.data / WORLDS, [sys.executable, "-m", "flask", "--app", "app", "world"]
    told = {"KIOSK_ORIGIN": settings.url, "KIOSK_IDLE": str(int(kiosk.patience.idle.total_seconds()))}
    make = maker(folder, settings.port + 1, DEMONSTRATION.read_text(), command, ROOT, told)
    worlds = Worlds(folder, make, kiosk.visitors, kiosk.patience, clock)
    app = Flask(__name__)
    language.speak(app)
    front.furnish(app, worlds)
    worlds.open()
    return app


def live_in_world(settings: Settings, environ: Mapping[str, str]) -> None:
    """A world of one visitor, until it is told to end: the wizard, the vendor and the project in this process, with
    clocks that can be moved; the authorization application is a process of its own, as always.
    """
    processes.die_with_parent()
    bounds.bind()
    travel, rung = Travel(settings.data / "ahead", clock), bell(settings)
    office = open_sample_office(settings.data / "vendor")
    write_sample(office, settings.data / stage.SAMPLE, environ["KIOSK_ORIGIN"], travel.now())
    shop = workshop(settings, rung)
    projects = {it.slug: (it.name, [node.slug for node in it.nodes]) for it in shop.inventory.projects()}
    driven = drive(settings.data / "projects", projects, travel.millis)
    applications = world.OwnApplications(
        lambda slug, address, port: driven.register(slug, address, port, travel.millis()), (ClientError,)
    )
    shop = replace(shop, clock=travel.now, backend=travelling(settings), applications=applications)
    shop.store.save(Registration(id=world.REGISTRATION, created_at=travel.now()))
    machine = TimeMachine(shop, shop.backend, driven, travel, world.REGISTRATION)
    app = assemble(FLOW, shop, SqlAccounts(settings.database), secret_key=settings.secret_key(), ways=(world.visitor,))
    app.register_blueprint(
        stage.blueprint(shop, machine, settings.data / stage.SAMPLE, KioskSettings.from_environ(environ).patience)
    )
    app.jinja_env.globals |= world.GLOBALS
    every(1.0, machine.watch, threading.Event())
    vendor_site = assemble_vendor(office, activation=environ["KIOSK_ORIGIN"], clock=travel.now)
    world.serve(world.combined(app, vendor_site, environ["KIOSK_SECRET"]), settings.port)
    run(shop, FLOW, rung, hands=1)
    if isinstance(shop.backend, Supervising):
        shop.backend.pause()


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

    @click.command("kiosk")
    def kiosk() -> None:
        """Start a kiosk: a whole journey for one visitor after another, with a time machine."""
        KioskSettings.from_environ(os.environ)
        sys.exit(
            up(
                [web_child(settings, os.environ, "kiosk", "app:create_kiosk()", settings.port)],
                lock=settings.data / "kiosk.lock",
                ready_url=f"{settings.url}/healthz",
                announce=lambda: front.greeting(settings.url),
                afterwards=lambda: processes.clear_all(settings.data / WORLDS),
            )
        )

    @click.command("world", hidden=True)
    def live() -> None:
        """One visitor's world; the kiosk starts it."""
        live_in_world(settings, os.environ)

    trail = audit.commands(lambda: SqlTrail(settings.database))
    return start, work, link, nodes, trail, vendor, kiosk, live
