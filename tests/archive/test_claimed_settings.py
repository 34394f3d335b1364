"""The claims speak of how the image runs as well: the same layers with another configuration are another image."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.archive.build import GOOD, VENDOR_KEYS, Files, Recipe, legacy, modern, podmans, tar, to_json
from wizard.archive.reader import Contents, read_image
from wizard.archive.verdicts import Refused
from wizard.licensing.protocol.claims import CLAIMS_LABEL, canonical_json

ENV = ("PATH=/usr/bin", "PYTHONPATH=/app")
RUNS = {
    "User": "65532:65532",
    "WorkingDir": "/app",
    "Entrypoint": ["python3", "-m", "wizard.licensing.server"],
    "Cmd": ["--listen", "0.0.0.0"],
    "Env": list(ENV),
    "ExposedPorts": {"18081/tcp": {}},
}
LAYOUTS: dict[str, Callable[..., Files]] = {"modern": modern, "legacy": legacy, "podman": podmans}


@dataclass(frozen=True, kw_only=True)
class Tampered(Recipe):
    """A vendor's image whose configuration was changed by somebody else; all digests but the claims are put right."""

    change: Callable[[dict[str, object]], dict[str, object]]
    """What becomes of `config` in the configuration."""

    @property
    def config(self) -> bytes:
        whole = json.loads(super().config)
        return to_json(whole | {"config": self.change(whole["config"])})


def read(recipe: Recipe, layout: Callable[..., Files] = modern) -> Contents:
    return read_image(io.BytesIO(tar(layout(recipe))), VENDOR_KEYS)


def refusal(recipe: Recipe, layout: Callable[..., Files] = modern) -> str:
    with pytest.raises(Refused) as raised:
        read(recipe, layout)
    return raised.value.code


def but(**other: object) -> Recipe:
    return Tampered(runs=RUNS, change=lambda config: config | other)


@pytest.mark.parametrize(
    "other",
    [
        {"Entrypoint": ["/bin/sh", "-c", "true"]},
        {"Entrypoint": None},
        {"Cmd": ["--listen", "127.0.0.1"]},
        {"Env": [*ENV, "PYTHONPATH=/srv"]},
        {"Env": list(ENV[::-1])},
        {"User": "1000:1000"},
        {"User": ""},
        {"WorkingDir": "/srv"},
        {"StopSignal": "SIGKILL"},
        {"Unknown": 1},
    ],
    ids=repr,
)
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_licence_with_other_settings_is_not_the_vendors(
    other: dict[str, object], layout: Callable[..., Files]
) -> None:
    assert read(GOOD.but(runs=RUNS), layout).claims
    assert refusal(but(**other), layout) == "claims-settings"


def test_another_label_is_another_setting() -> None:
    def labelled(config: dict[str, object]) -> dict[str, object]:
        return config | {"Labels": {CLAIMS_LABEL: GOOD.but(runs=RUNS).envelope.decode(), "another": "label"}}

    assert refusal(Tampered(runs=RUNS, change=labelled)) == "claims-settings"


@pytest.mark.parametrize(
    "runs", [RUNS, RUNS | {"StopSignal": "", "OnBuild": None, "Volumes": {}}], ids=["full", "null"]
)
@pytest.mark.parametrize(
    "rewrite",
    [
        lambda config: dict(sorted(config.items())),
        lambda config: dict(reversed(config.items())),
        lambda config: {name: value for name, value in config.items() if value},
        lambda config: config | {"StopSignal": "", "OnBuild": None, "Shell": [], "Volumes": {}},
    ],
    ids=["sorted", "reversed", "empty ones dropped", "empty ones added"],
)
def test_a_configuration_that_a_tool_wrote_anew_is_the_same(
    runs: dict[str, object], rewrite: Callable[[dict[str, object]], dict[str, object]]
) -> None:
    recipe = Tampered(runs=runs, change=rewrite)
    assert read(recipe).claims_envelope == recipe.envelope


def test_settings_without_a_canonical_form_are_refused() -> None:
    assert refusal(but(Unknown="\ud800")) in ("claims-settings", "description")


def test_claims_that_say_nothing_of_the_settings_are_refused() -> None:
    """As licences were before the claims spoke of them; else an older one would open what is closed here."""
    body = json.loads(GOOD.envelope)["claims"]
    del body["settings"]
    signature = GOOD.signer.sign(b"FRL/1 claims\n" + canonical_json(body)).hex()
    older = canonical_json({"claims": body, "signature": signature})
    assert refusal(GOOD.but(label=older, in_file=older)) == "claims-settings"
