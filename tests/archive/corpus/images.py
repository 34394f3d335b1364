"""Images as tools save them, names, and platforms."""

import gzip
import json
from functools import partial

from tests.archive.broken import ID, with_json
from tests.archive.build import GOOD, descriptor, podmans, tar, to_json
from tests.archive.corpus.forms import (
    BY_CONTAINERD,
    INDEX,
    MANIFEST,
    Configured,
    attested,
    blobs,
    containerds,
    index,
    manifest,
    oci,
    zstd,
)
from tests.archive.corpus.making import Case, good, of, saying, without
from wizard.licensing.protocol.claims import REPOSITORY

REORDERED = Configured(rewritten=lambda it: to_json(dict(sorted(json.loads(it).items()))))
"""As skopeo and buildah do when they convert an image: the same settings, another image id."""


def second_platform() -> bytes:
    """A multi-platform image: one for arm64 beside ours."""
    other = GOOD.but(architecture="arm64")
    listed = [manifest(it) for it in (GOOD, other)]
    inner = index(*(descriptor(it, mediaType=MANIFEST) for it in listed))
    outer = index(descriptor(inner, mediaType=INDEX, annotations=BY_CONTAINERD))
    return tar(attested() | blobs(inner, other.config, listed[1], *other.layers) | {"index.json": outer})


IMAGES: dict[str, Case] = {
    "an OCI archive": good(form=oci),
    "an OCI archive, gzip layers": good(GOOD.but(pack=gzip.compress), oci),
    "an OCI archive, zstd layers": good(GOOD.but(pack=zstd), oci),
    "an OCI archive of Docker's manifest": good(form=partial(oci, docker=True)),
    "an OCI archive whose configuration skopeo wrote anew": good(REORDERED, oci),
    "an OCI archive without a name": Case("no-name", of(GOOD, partial(oci, names=None))),
    "an OCI archive with a tag alone": Case(
        "no-name",
        of(GOOD, partial(oci, names={"org.opencontainers.image.ref.name": "1.0.0"})),
    ),
    "an OCI archive of another repository": Case(
        "foreign-repository",
        of(GOOD, partial(oci, names={"org.opencontainers.image.ref.name": "docker.io/library/nginx:latest"})),
    ),
    "an OCI archive without oci-layout": Case("no-manifest", lambda: without(["oci-layout"], oci)),
    "an OCI archive of nothing": Case(
        "no-manifest",
        lambda: tar(oci() | {"index.json": b'{"schemaVersion": 2, "manifests": []}'}),
    ),
    "what containerd exports": good(form=containerds),
    "what BuildKit built, with its notes": good(form=attested),
    "an image for two architectures": Case("two-images", second_platform),
    "what Podman saves": good(form=podmans),
    "a name in the index that is not the manifest's": Case(
        "indexes-disagree",
        with_json(
            "index.json",
            lambda it: (
                it
                | {
                    "manifests": [
                        it["manifests"][0]
                        | {"annotations": {"io.containerd.image.name": "docker.io/library/nginx:latest"}}
                    ]
                }
            ),
        ),
    ),
    "a name of no tag": Case("foreign-repository", of(GOOD.but(names=[REPOSITORY]))),
    "a name with a digest": Case("foreign-repository", of(GOOD.but(names=[f"{REPOSITORY}@sha256:{ID}"]))),
    "a name in another case": Case("foreign-repository", of(GOOD.but(names=[f"{REPOSITORY.title()}:1.0.0"]))),
    "the same name twice": Case("two-names", of(GOOD.but(names=[f"{REPOSITORY}:1.0.0"] * 2))),
    "a port for a registry": Case("foreign-repository", of(GOOD.but(names=[f"198.51.100.7:5000/{REPOSITORY}:1.0.0"]))),
    "another architecture in the index alone": Case(
        "architecture",
        with_json(
            "index.json",
            lambda it: (
                it | {"manifests": [it["manifests"][0] | {"platform": {"architecture": "arm64", "os": "linux"}}]}
            ),
        ),
    ),
    "a variant of the architecture": Case("architecture", saying(variant="v4")),
    "an operating system's version": Case("architecture", saying(**{"os.version": "10.0.17763"})),
}
