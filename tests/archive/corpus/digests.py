"""Digests, sizes and references that do not fit."""

from tests.archive.broken import with_json, with_manifest
from tests.archive.build import BASE, GOOD, descriptor, digest, legacy, tar
from tests.archive.corpus.forms import INDEX, blobs, containerds, index
from tests.archive.corpus.making import Case, beside, renamed, saying, with_oci_manifest

SIZES = [{"digest": f"sha256:{digest(it)}", "size": len(it) + 1} for it in GOOD.layers]


def nested(depth: int) -> bytes:
    """An index in so many more."""
    files = containerds()
    for _ in range(depth):
        inner = files["index.json"]
        files |= blobs(inner) | {"index.json": index(descriptor(inner, mediaType=INDEX))}
    return tar(files)


DIGESTS: dict[str, Case] = {
    "a layer's size that is wrong": Case("descriptor-size", with_oci_manifest(layers=SIZES)),
    "a negative size": Case("descriptor-size", with_oci_manifest(config=descriptor(GOOD.config) | {"size": -1})),
    "a digest of another algorithm": Case(
        "description",
        with_oci_manifest(config=descriptor(GOOD.config) | {"digest": "sha512:" + "ab" * 64}),
    ),
    "a digest that is a path": Case(
        "description",
        with_oci_manifest(config=descriptor(GOOD.config) | {"digest": "sha256:../../manifest.json"}),
    ),
    "content within the descriptor": Case(
        "description", with_oci_manifest(config=descriptor(GOOD.config, data="e30="))
    ),
    "a layer that lies elsewhere": Case(
        "description",
        with_oci_manifest(layers=[descriptor(it, urls=["http://198.51.100.7/x"]) for it in GOOD.layers]),
    ),
    "a manifest that is for another": Case("description", with_oci_manifest(subject=descriptor(b"x"))),
    "a configuration of another kind": Case(
        "description",
        with_oci_manifest(config=descriptor(GOOD.config, mediaType="application/vnd.cncf.helm.config.v1+json")),
    ),
    "a blob that nothing names": Case("unreferenced", beside(b"hidden")),
    "a layer that nothing names": Case("unreferenced", beside(BASE[0] + bytes(512))),
    "the layers in another order in the index": Case(
        "indexes-disagree",
        with_oci_manifest(layers=[descriptor(it) for it in reversed(GOOD.layers)]),
    ),
    "a diff id that is no digest": Case("layer-digest", saying(rootfs={"type": "layers", "diff_ids": ["x"] * 3})),
    "a root file system of another type": Case(
        "configuration",
        saying(rootfs={"type": "layers+base", "diff_ids": [f"sha256:{digest(it)}" for it in GOOD.layers]}),
    ),
    "a configuration named after another": Case("config-digest", lambda: tar(renamed(legacy()))),
    "the manifest as its own layer": Case(
        "indexes-disagree",
        with_manifest(lambda it: [it[0] | {"Layers": ["manifest.json"] * 3}]),
    ),
    "the configuration as a layer": Case(
        "indexes-disagree",
        with_manifest(lambda it: [it[0] | {"Layers": [it[0]["Config"]] * 3}]),
    ),
    "an index that names one more": Case(
        "two-images",
        with_json("index.json", lambda it: it | {"manifests": [*it["manifests"], descriptor(b"x")]}),
    ),
    "the index of an index of an index": Case("description", lambda: nested(3)),
    "an image called a note on the build": Case(
        "indexes-disagree",
        with_json(
            "index.json",
            lambda it: {
                "manifests": [
                    it["manifests"][0] | {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
                ]
            },
        ),
    ),
}
