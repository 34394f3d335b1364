"""Licences that are not the vendor's, or not of this image; and what else may lie beside them."""

import json
from collections.abc import Callable

from tests.archive.build import BASE, CLAIMS_FILES, GOOD, SIGNER, STRANGER, Recipe, modern, tar
from tests.archive.corpus.forms import Configured, layer, member
from tests.archive.corpus.making import Case, good, of, put
from wizard.licensing.protocol.claims import CLAIMS_LABEL, CLAIMS_PATH, canonical_json

ISSUED = GOOD.but(label=GOOD.envelope, in_file=GOOD.envelope)
"""Its claims stay those of GOOD, whatever it is changed to."""


def labelled(change: Callable[[bytes], bytes]) -> Recipe:
    """An image whose label is another text than the claims."""
    return GOOD.but(label=change(GOOD.envelope))


def forged() -> bytes:
    """The claims signed by a stranger, under the name of the vendor's key."""
    envelope = json.loads(GOOD.but(signer=STRANGER).envelope)
    envelope["claims"]["kid"] = json.loads(GOOD.envelope)["claims"]["kid"]
    return canonical_json(envelope)


def older() -> bytes:
    """Claims without the settings, rightly signed."""
    claims = json.loads(GOOD.envelope)["claims"]
    del claims["settings"]
    signature = SIGNER.sign(b"FRL/1 claims\n" + canonical_json(claims))
    return canonical_json({"claims": claims, "signature": signature.hex()})


def with_claims(*members: bytes) -> Recipe:
    """An image whose top layer has the folders of the claims, and such members."""
    return GOOD.but(top=layer(*(member(it, b"", b"5") for it in CLAIMS_FILES), *members))


CLAIMS: dict[str, Case] = {
    "claims in the label alone": Case("top-layer", of(GOOD.but(top=tar({"app/": b"", "app/license/": b""})))),
    "claims in the file alone": Case("claims-missing", of(GOOD.but(labelled=False))),
    "claims signed by a stranger under our key's name": Case(
        "claims-forged", lambda: tar(modern(GOOD.but(label=forged(), in_file=forged())))
    ),
    "claims for one layer less": Case("claims-layers", of(ISSUED.but(base=(*BASE, BASE[0])))),
    "claims for the layers in another order": Case("claims-layers", of(ISSUED.but(base=BASE[::-1]))),
    "claims with a field more": Case("claims-malformed", of(labelled(put(b'{"activation"', b'{"a":1,"activation"')))),
    "claims with white space": Case("claims-malformed", of(labelled(put(b'","', b'", "')))),
    "claims without end": Case("claims-malformed", of(GOOD.but(label=b"[" * 9000))),
    "claims in another case of the label": Case(
        "claims-missing", of(Configured(labelled=False, runs={"Labels": {"License.Claims": GOOD.envelope.decode()}}))
    ),
    "a claims file of another place": Case(
        "top-layer",
        of(GOOD.but(top=tar({"app/": b"", "app/claims.json": GOOD.envelope}))),
    ),
    "a claims file twice": Case("layer-duplicate", of(with_claims(*[member(CLAIMS_PATH, GOOD.envelope)] * 2))),
    "a claims file by a hard link": Case(
        "layer-link",
        of(GOOD.but(top=layer(member(CLAIMS_PATH, b"", b"1", link="app/x")))),
    ),
    "a whiteout beside the claims": Case("top-layer", of(GOOD.but(extra={"app/license/.wh.vendor.pub": b""}))),
    "a claims layer with something after its end": Case(
        "layer-tar",
        of(GOOD.but(top=tar({"app/": b"", "app/license/": b"", CLAIMS_PATH: GOOD.envelope}) + b"x")),
    ),
    "a claims file that anybody may change": Case(
        "top-layer", of(with_claims(member(CLAIMS_PATH, GOOD.envelope, mode=b"0006777")))
    ),
    "another command than the licence was issued for": Case(
        "claims-settings", of(ISSUED.but(runs={"Entrypoint": ["/bin/sh", "-c", "true"]}))
    ),
    "another environment than the licence was issued for": Case(
        "claims-settings", of(ISSUED.but(runs={"Env": ["PYTHONPATH=/app/config"]}))
    ),
    "another user than the licence was issued for": Case("claims-settings", of(ISSUED.but(runs={"User": "10001"}))),
    "a setting that nobody knows, and the licence does not": Case("claims-settings", of(ISSUED.but(runs={"New": 1}))),
    "a label beside the licence's": Case(
        "claims-settings", of(ISSUED.but(runs={"Labels": {CLAIMS_LABEL: GOOD.envelope.decode(), "a": "b"}}))
    ),
    "settings that are empty, as if they were not there": good(ISSUED.but(runs={"Env": [], "User": "", "Cmd": None})),
    "claims of the time before settings were signed": Case(
        "claims-settings", lambda: tar(modern(GOOD.but(label=older(), in_file=older())))
    ),
}
