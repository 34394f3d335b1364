"""Descriptions: each form that tools write them in, and that nothing in them can be understood in two ways."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.archive.build import GOOD, VENDOR_KEYS, Files, Recipe, descriptor, digest, modern, tar, to_json
from tests.archive.corpus.forms import BY_CONTAINERD, INDEX, MANIFEST, OCI, blobs, containerds, index, manifest, oci
from wizard.archive.layout import ATTESTATION
from wizard.archive.limits import MOST_VALUES
from wizard.archive.reader import Contents, read_image
from wizard.archive.verdicts import Refused
from wizard.licensing.protocol.claims import REPOSITORY

PLATFORM = {"architecture": "amd64", "os": "linux"}
NAME = "io.containerd.image.name"


def read(files: Files) -> Contents:
    return read_image(io.BytesIO(tar(files)), VENDOR_KEYS)


def refusal(files: Files) -> str:
    with pytest.raises(Refused) as refused:
        read(files)
    return refused.value.code


def of_docker_25(recipe: Recipe = GOOD, *, names_layers: bool = True) -> Files:
    """As Docker 25 to 28 save without containerd's store: a description of each layer that nothing names.

    25.0.0 leaves the layers out of the OCI manifest (moby, image/tarexport/save.go).
    """
    old = [
        to_json({"id": digest(layer), "created": "1970-01-01T00:00:00Z", "container_config": {"Cmd": None}})
        for layer in recipe.layers
    ]
    layers = [descriptor(it, mediaType=f"{OCI}.layer.v1.tar") for it in recipe.layers]
    config = descriptor(recipe.config, mediaType=f"{OCI}.config.v1+json", platform=PLATFORM)
    listed = manifest(recipe, config=config, layers=layers if names_layers else [])
    entry = json.loads(modern(recipe)["manifest.json"])[0]
    sources = {f"sha256:{digest(it)}": described for it, described in zip(recipe.layers, layers, strict=True)}
    described = descriptor(listed, mediaType=MANIFEST, platform=PLATFORM, annotations=BY_CONTAINERD)
    return blobs(recipe.config, listed, *recipe.layers, *old) | {
        "index.json": index(described),
        "manifest.json": to_json([entry | {"LayerSources": sources}]),
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "repositories": to_json({REPOSITORY: {"1.0.0": digest(recipe.layers[-1])}}),
    }


FORMS: Mapping[str, Callable[[], Files]] = {
    "Docker 25": of_docker_25,
    "Docker 25.0.0": lambda: of_docker_25(names_layers=False),
    "containerd": containerds,
    "Podman's oci-archive": oci,
    "buildah's of Docker's kind": lambda: oci(docker=True),
    "containerd, without the name in manifest.json": lambda: edited(
        containerds(), "manifest.json", lambda it: [it[0] | {"RepoTags": None}]
    ),
    "an index in the index": lambda: nested(containerds()),
}


def edited(files: Files, name: str, change: Callable[[Any], object]) -> Files:
    return files | {name: to_json(change(json.loads(files[name])))}


def nested(files: Files) -> Files:
    inner = files["index.json"]
    return files | blobs(inner) | {"index.json": index(descriptor(inner, mediaType=INDEX))}


def annotated(files: Files, **annotations: str) -> Files:
    """Its image under other annotations in the index."""
    return edited(
        files, "index.json", lambda it: it | {"manifests": [it["manifests"][0] | {"annotations": annotations}]}
    )


def listed_as(**changes: object) -> Files:
    """An image whose descriptor in the index says more, or otherwise."""
    return edited(containerds(), "index.json", lambda it: it | {"manifests": [it["manifests"][0] | changes]})


def with_manifest(**changes: Any) -> Files:
    """An image whose OCI manifest says more, or otherwise, all digests put right."""
    files, changed = containerds(), manifest(GOOD, **changes)
    del files[f"blobs/sha256/{digest(manifest(GOOD))}"]
    return files | blobs(changed) | {"index.json": index(descriptor(changed, mediaType=MANIFEST))}


@pytest.mark.parametrize("make", FORMS.values(), ids=FORMS)
def test_every_form_is_the_same_image_under_the_same_name(make: Callable[[], Files]) -> None:
    contents = read(make())
    assert (contents.image_id, contents.repository, contents.tag) == (digest(GOOD.config), REPOSITORY, "1.0.0")


def test_an_oci_layout_has_its_name_in_the_index_and_only_there() -> None:
    assert read(annotated(oci(), **{NAME: f"docker.io/library/{REPOSITORY}:2"})).tag == "2"
    assert refusal(annotated(oci(), **{"org.opencontainers.image.ref.name": "1.0.0"})) == "no-name"
    two = edited(
        annotated(oci(), **{NAME: f"{REPOSITORY}:1"}),
        "index.json",
        lambda it: it | {"manifests": [*it["manifests"], it["manifests"][0] | {"annotations": {NAME: "nginx:1"}}]},
    )
    assert refusal(two) == "two-names"


@pytest.mark.parametrize(
    "annotations",
    [
        {NAME: "nginx:1.0.0"},
        {NAME: f"{REPOSITORY}:2"},
        {NAME: f"{REPOSITORY}:1.0.0", "org.opencontainers.image.ref.name": "2"},
        {NAME: "no name at all"},
    ],
)
def test_the_index_gives_the_name_that_the_manifest_gives(annotations: dict[str, str]) -> None:
    assert refusal(annotated(containerds(), **annotations)) == "indexes-disagree"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"size": 7}, "descriptor-size"),
        ({"data": "e30="}, "description"),
        ({"urls": ["http://198.51.100.7/x"]}, "description"),
        ({"artifactType": "application/vnd.example"}, "description"),
        ({"mediaType": "application/vnd.cncf.helm.chart.v1"}, "description"),
        ({"digest": "sha256:" + "AB" * 32}, "description"),
        ({"Digest": "sha256:" + "ab" * 32}, "description"),
        ({"platform": {"architecture": "arm64", "os": "linux"}}, "architecture"),
        ({"platform": PLATFORM | {"variant": "v3"}}, "architecture"),
        ({"platform": PLATFORM | {"Architecture": "amd64"}}, "description"),
    ],
)
def test_a_descriptor_says_nothing_that_an_engine_could_follow_elsewhere(changes: dict[str, object], code: str) -> None:
    assert refusal(listed_as(**changes)) == code


@pytest.mark.parametrize(
    "changes",
    [
        {"schemaVersion": 1},
        {"mediaType": INDEX},
        {"manifests": []},
        {"subject": descriptor(b"x")},
        {"artifactType": "application/vnd.example"},
        {"Layers": []},
    ],
)
def test_a_manifest_can_be_taken_for_nothing_else(changes: dict[str, Any]) -> None:
    assert refusal(with_manifest(**changes)) == "description"


@pytest.mark.parametrize("changes", [{"config": {}}, {"layers": []}, {"mediaType": MANIFEST}, {"Manifests": []}])
def test_an_index_can_be_taken_for_nothing_else(changes: dict[str, object]) -> None:
    assert refusal(edited(containerds(), "index.json", lambda it: it | changes)) == "description"


def test_keys_that_engines_do_not_know_do_no_harm() -> None:
    files = edited(modern(), "manifest.json", lambda it: [it[0] | {"Note": {"config": 1, "Config": 2}}])
    assert read(files).image_id == digest(GOOD.config)


def test_labels_and_annotations_may_differ_in_case_alone() -> None:
    assert read(annotated(containerds(), A="1", a="2", **BY_CONTAINERD)).tag == "1.0.0"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"RepoTags"', b'"RepoTags": [], "RepoTags"'),
        (b'"RepoTags"', b'"repoTags": [], "RepoTags"'),
        (b'"RepoTags"', '"RepoTag\N{LATIN SMALL LETTER LONG S}": [], "RepoTags"'.encode()),
        (b'"RepoTags"', b'"x": 1, "X": 2, "RepoTags"'),
        (b'"RepoTags"', b'"x": {"y": 1, "y": 2}, "RepoTags"'),
        (b'"RepoTags"', b'"x": Infinity, "RepoTags"'),
        (b'"RepoTags"', b'"x": "\\ud800", "RepoTags"'),
        (b'"RepoTags"', b'"x": ' + b"[" * 90_000 + b"]" * 90_000 + b', "RepoTags"'),
        (b'"RepoTags"', b'"x": [' + b"0," * MOST_VALUES + b'0], "RepoTags"'),
    ],
)
def test_json_that_readers_understand_differently_is_no_description(old: bytes, new: bytes) -> None:
    files = modern()
    text = files["manifest.json"]
    assert old in text
    assert refusal(files | {"manifest.json": text.replace(old, new, 1)}) == "description"


@pytest.mark.parametrize(
    "content",
    [b"hidden", b"{}", b'{"id": "x", "created": "y"}', to_json({"id": digest(b"x")}), GOOD.layers[0] + bytes(512)],
)
def test_no_file_is_hidden_among_those_of_the_image(content: bytes) -> None:
    assert refusal(of_docker_25() | blobs(content)) == "unreferenced"


def test_a_file_of_another_layout_is_not_hidden_either() -> None:
    assert refusal(modern() | {f"{'ab' * 32}.tar": GOOD.layers[0]}) == "unreferenced"


def test_notes_on_the_build_name_files_of_their_own() -> None:
    note = to_json({"config": descriptor(b"{}"), "layers": [descriptor(b"note")]})
    noted = descriptor(note, mediaType=MANIFEST, annotations={"vnd.docker.reference.type": ATTESTATION})
    files = edited(containerds(), "index.json", lambda it: it | {"manifests": [*it["manifests"], noted]})
    assert read(files | blobs(note, b"{}", b"note")).image_id == digest(GOOD.config)
    assert read(files).image_id == digest(GOOD.config)
    assert refusal(files | blobs(note, b"{}", b"note", b"other")) == "unreferenced"
