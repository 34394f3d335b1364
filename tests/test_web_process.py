"""The web process never speaks to an engine: whoever has an engine's socket is root on that node."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

import app as composition
from tests.factories import a_deployed_registration, a_node, a_placed_registration, a_preflight, a_project
from tests.instance import ROOT
from tests.visitor import InnerBrowser, Visitor
from wizard.settings import Settings
from wizard.steps import FLOW
from wizard.store.accounts import SqlAccounts
from wizard.store.migrate import migrate

INVENTORY = """
[[project]]
slug = "sales"
name = "Sales reports"

[[project.node]]
slug = "sales-main"
name = "Main application server"
role = "main"
address = "127.0.0.1"
engine = "unix://{socket}"
"""


@dataclass(frozen=True)
class Engine:
    """Nothing but a socket, which notices whoever comes."""

    listener: socket.socket

    def somebody_came(self) -> bool:
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "engine.sock"))
        listener.listen()
        listener.setblocking(False)
        yield Engine(listener)


@pytest.fixture
def settings(tmp_path: Path, engine: Engine) -> Settings:
    inventory = tmp_path / "inventory.toml"
    inventory.write_text(INVENTORY.format(socket=tmp_path / "engine.sock"))
    given = {"WIZARD_DATA": str(tmp_path), "WIZARD_INVENTORY": str(inventory), "WIZARD_BACKEND": "docker"}
    settings = Settings.from_environ(given)
    migrate(settings.database)
    return settings


def test_no_page_and_no_button_of_the_web_process_reaches_an_engine(settings: Settings, engine: Engine) -> None:
    services = composition.services(settings, composition.bell(settings))
    web = composition.assemble(FLOW, services, SqlAccounts(settings.database), secret_key="a secret for tests")
    visitor = Visitor(InnerBrowser(web), "http://localhost/").open(composition.sign_in_link(settings))
    visitor.press("Save and sign in", password="a long password", again="a long password")
    project = a_project(nodes=(a_node(slug="sales-main"),))
    services.store.save(a_placed_registration(id="r1", project=project, node=None, port=None, preflight=None))
    services.store.save(a_placed_registration(id="r2", project=project, preflight=a_preflight()))
    services.store.save(a_deployed_registration(id="r3", project=project))
    for page in (
        "/",
        "/nodes",
        *(f"/registrations/{id}/{step.slug}" for id in ("r1", "r2", "r3") for step in FLOW.steps),
    ):
        assert visitor.open(page).status == 200
    visitor.open("/registrations/r1").press("Use this node", node="sales/sales-main").press("Check and use this port")
    visitor.open("/registrations/r2").press("Deploy to").press("Abort and undo")
    assert not engine.somebody_came()


def test_the_worker_does_reach_it(settings: Settings, engine: Engine) -> None:
    """So the test above would notice."""
    backend = composition.workshop(settings, composition.bell(settings)).backend
    [node] = composition.inventory(settings).project("sales").nodes
    engine.listener.settimeout(10)
    with ThreadPoolExecutor(1) as door:
        came = door.submit(engine.somebody_came)
        assert not backend.health(node).well
        assert came.result()


def test_the_web_process_does_not_even_have_the_library_that_speaks_to_engines(tmp_path: Path) -> None:
    words = "import sys, wsgi; print('docker' in sys.modules, 'wizard.jobs.worker' in sys.modules)"
    environment = os.environ | {"WIZARD_DATA": str(tmp_path), "WIZARD_BACKEND": "docker"}
    done = subprocess.run(
        [sys.executable, "-c", words], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[0] == "False"
