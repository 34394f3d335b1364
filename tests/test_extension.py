"""What an eighth step and another backend cost: a module, a template, a line; nothing else knows their names."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from jinja2 import ChoiceLoader, DictLoader

from app import assemble
from tests.desk import FakeDesk
from tests.factories import NOW, a_deployed_registration, a_node, a_slot, a_status
from tests.memory_store import MemoryAccounts
from tests.visitor import InnerBrowser, Visitor
from wizard import backends
from wizard.domain.registration import Registration
from wizard.flow import Flow, Phase, Step, Submission
from wizard.ports import Services, Task
from wizard.steps import FLOW
from wizard.text import say
from wizard.web.account import hashed

ENGINE = ("app.py", "wizard/flow.py", "wizard/ports", "wizard/web", "wizard/jobs", "wizard/store", "wizard/launch")
"""What must know no step by name."""

TEMPLATE = """
{% extends layout %}
{% import "components/_parts.html" as parts with context %}
{% block step %}
{{ parts.heading('An eighth step.') }}
{% call parts.form() %}<button class="primary">Frame the certificate</button>{% endcall %}
{{ parts.phases() }}
{% endblock %}
"""


def submit(registration: Registration, submission: Submission, services: Services) -> Registration:
    return registration


def hang(registration: Registration, task: Task) -> Registration:
    return replace(registration, notice=say("It hangs."))


FRAME = Step(
    slug="frame",
    title=say("Frame the certificate"),
    name=say("Frame"),
    holds="registered_at",
    is_done=lambda registration: registration.notice is not None,
    submit=submit,
    chosen=lambda registration: "framed",
    work=(Phase(slug="hang", title=say("Hang it up"), run=hang),),
)


def python(places: tuple[str, ...]) -> Iterator[Path]:
    for place in map(Path, places):
        yield from [place] if place.is_file() else place.rglob("*.py")


def compared_strings(path: Path) -> set[str]:
    """The strings that the code compares with, matches, or looks up by."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare | ast.match_case | ast.Subscript):
            found |= {
                leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Constant) and type(leaf.value) is str
            }
    return found


def test_an_eighth_step_is_walked_by_an_engine_that_has_never_heard_of_it(tmp_path: Path) -> None:
    flow, desk, accounts = Flow((*FLOW.steps, FRAME)), FakeDesk.in_folder(tmp_path), MemoryAccounts()
    app = assemble(flow, desk.services, accounts, secret_key="a secret for tests")
    app.jinja_loader = ChoiceLoader([DictLoader({"steps/frame.html": TEMPLATE}), app.jinja_loader or DictLoader({})])
    accounts.add_link(hashed("link"), NOW, NOW.replace(year=2030))
    visitor = Visitor(InnerBrowser(app), "http://localhost/").open("/sign-in/link")
    visitor.press("Save and sign in", password="a long password", again="a long password")
    heard = a_status(slots=(a_slot(last_request_at=NOW),))
    finished = desk.store.save(a_deployed_registration(verified_at=NOW, registered_at=NOW, server=heard))

    visitor.open(f"/registrations/{finished.id}")
    assert visitor.heading == "Frame the certificate"
    assert len(visitor.page.select(".rail-long li")) == 8
    assert visitor.press("Frame the certificate").status == 200
    assert desk.jobs.count("start") == 1


@pytest.mark.parametrize("path", list(python(ENGINE)), ids=str)
def test_the_engine_branches_on_no_step(path: Path) -> None:
    assert compared_strings(path) & {step.slug for step in FLOW.steps} == set()


def test_a_backend_is_a_line_of_one_dict() -> None:
    backend = backends.load("another", {"another": "tests.fakes:FakeBackend"})
    assert backend.health(a_node()).well


def test_no_backend_is_named_outside_its_room_but_for_the_default() -> None:
    for path in python(("app.py", "wizard")):
        if "backends" in path.parts or path.name == "settings.py":
            continue
        assert compared_strings(path) & set(backends.BACKENDS) == set(), path
