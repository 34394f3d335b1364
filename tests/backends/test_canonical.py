"""Our own archive of an image on real engines: it loads as the image that was checked, under our name, and runs."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.archive.apart import OK
from tests.archive.build import BASE, GOOD, VENDOR_KEYS, Recipe, digest, modern, tar
from tests.archive.corpus import GROUPS
from tests.backends.test_plain_docker import page_at
from tests.engines import NEEDS_ENGINES
from tests.engines.daemons import Daemon, docker_daemon, podman_service
from tests.engines.hosts import Host, hosts
from tests.engines.images import an_issued_image
from tests.engines.tools import NEEDS_TOOLS
from tests.factories import a_node
from tests.waiting import until
from wizard.archive.canonical import canonical
from wizard.archive.reader import read_image
from wizard.archive.spool import FileSpool
from wizard.backends.engine import template
from wizard.domain.image import Image, name_on_nodes
from wizard.licensing.protocol.claims import REPOSITORY

pytestmark = [pytest.mark.engine, NEEDS_ENGINES]

PORT = 18081
RUNS: dict[str, Callable[[Host], AbstractContextManager[Daemon]]] = {"docker": docker_daemon, "podman": podman_service}


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A licence image, our archive of it, and the one that the vendor mailed."""

    image: Image
    ours: Path
    mailed: Path
    spool: FileSpool


@pytest.fixture(scope="module")
def licence(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    folder = tmp_path_factory.mktemp("licence")
    image, ours = an_issued_image(folder)
    spool = FileSpool(folder / "again", folder / "vendor" / "vendor.pub")
    return Issued(image=image, ours=ours, mailed=folder / f"{REPOSITORY}.tar", spool=spool)


@pytest.fixture(params=sorted(RUNS))
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    with hosts(1) as (host,), RUNS[request.param](host) as daemon:
        yield daemon


def loaded(daemon: Daemon, archive: Path) -> list[dict[str, object]]:
    """The images of the engine after it has loaded that archive, as it describes them."""
    with daemon.client() as engine, archive.open("rb") as file:
        assert not [line for line in engine.load_image(file) or () if "error" in line]
        return [engine.inspect_image(image["Id"]) for image in engine.images()]


def names(found: dict[str, object]) -> list[str]:
    """Without what Podman puts before a name that has no registry."""
    tags = found["RepoTags"]
    assert isinstance(tags, list)
    return [str(tag).rpartition("/")[2] for tag in tags]


def test_it_loads_as_the_one_image_that_was_checked_under_our_name_and_runs(daemon: Daemon, licence: Issued) -> None:
    [found] = loaded(daemon, licence.ours)
    assert str(found["Id"]).removeprefix("sha256:") == licence.image.image_id
    assert names(found) == [licence.image.name_on_nodes] == [template.tag_of(licence.image)]
    node = a_node(address=daemon.host.address)
    with daemon.client() as engine:
        engine.create_container_from_config(template.container(node, licence.image, PORT), "ours")
        engine.start("ours")
    until(lambda: page_at(daemon.host.address), "the page with the QR code answers")


def test_what_an_engine_saves_of_the_mailed_image_becomes_the_same_archive(daemon: Daemon, licence: Issued) -> None:
    """Byte for byte, though each saves it in a form of its own."""
    loaded(daemon, licence.mailed)
    with daemon.client() as engine:
        saved = b"".join(engine.get_image(licence.image.name))
    image = licence.spool.receive(io.BytesIO(saved), len(saved), "saved.tar")
    assert image.received != licence.image.received
    assert (image.digest, image.manifest) == (licence.image.digest, licence.image.manifest)


TWICE = GOOD.but(base=(*BASE, BASE[0]))


@pytest.mark.parametrize("recipe", [GOOD, TWICE], ids=["each layer once", "a layer twice"])
def test_an_image_that_was_made_by_hand_loads_with_its_layers_in_order(
    daemon: Daemon, recipe: Recipe, tmp_path: Path
) -> None:
    received, ours = io.BytesIO(tar(modern(recipe))), tmp_path / "ours.tar"
    with ours.open("wb") as file:
        canonical(read_image(received, VENDOR_KEYS).layout).write(received, file)
    [found] = loaded(daemon, ours)
    image_id = digest(recipe.config)
    assert str(found["Id"]).removeprefix("sha256:") == image_id
    assert names(found) == [name_on_nodes(image_id)]
    assert found["RootFS"] == {"Type": "layers", "Layers": [f"sha256:{digest(layer)}" for layer in recipe.layers]}


@cache
def accepted() -> Mapping[str, Recipe]:
    """The images that the corpus has in forms that are accepted, by id; but for the bombs, which are large."""
    cases = (case for group in GROUPS.keys() - {"bombs"} for case in GROUPS[group].values() if case.code == OK)
    return {case.image_id: case.image for case in cases}


def ours_of(image: Recipe, folder: Path) -> Path:
    received, path = io.BytesIO(tar(modern(image))), folder / "ours.tar"
    with path.open("wb") as file:
        canonical(read_image(received, VENDOR_KEYS).layout).write(received, file)
    return path


def test_every_image_of_the_corpus_loads_under_its_own_id(daemon: Daemon, tmp_path: Path) -> None:
    found: dict[str, object] = {}
    for image in accepted().values():
        found |= {
            str(it["Id"]).removeprefix("sha256:"): it["RootFS"] for it in loaded(daemon, ours_of(image, tmp_path))
        }
    assert found == {
        id: {"Type": "layers", "Layers": [f"sha256:{digest(layer)}" for layer in image.layers]}
        for id, image in accepted().items()
    }


@NEEDS_TOOLS
@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
def test_skopeo_reads_the_same_configuration_by_either_description(form: str, tmp_path: Path) -> None:
    with hosts(1) as (host,):
        for image_id, image in accepted().items():
            read = host.run("skopeo", "inspect", "--config", "--raw", f"{form}:{ours_of(image, tmp_path)}")
            assert digest(read.encode()) == image_id
