"""Which settings an image may have."""

import json

import pytest

from wizard.archive.blobs import Blob
from wizard.archive.describe import Config, read
from wizard.archive.settings import RULES, ensure
from wizard.archive.verdicts import Refused


def config(runs: object, **says: object) -> Config:
    whole = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": []},
        "config": runs,
    } | says
    content = json.dumps(whole).encode()
    blob = Blob(name="x", offset=0, size=len(content), digest="", unpacked_size=0, unpacked_digest="", content=content)
    return read(blob, Config, misspelt="configuration")


def is_taken(runs: object, *, is_licence: bool) -> bool:
    try:
        ensure(config(runs), is_licence=is_licence)
    except Refused as refused:
        return refused.code != "configuration"
    return True


TAKEN: list[object] = [
    None,
    {},
    dict.fromkeys(("Volumes", "OnBuild", "Env", "User", "Cmd", "Healthcheck", "ExposedPorts", "Entrypoint")),
    {"Env": ["PATH=/usr/bin", "EMPTY=", "A=b=c\n", "LD_LIBRARY_PATH=/lib"], "User": "65532:65532"},
    {"ExposedPorts": {"18081/tcp": {}, "53/udp": {}, "80": {}, "8000-8010/tcp": None}},
    {"StopSignal": "SIGTERM"},
    {"StopSignal": "SIGRTMIN+3"},
    {"StopSignal": "15"},
    {"WorkingDir": "/app"},
    {"WorkingDir": ""},
    {"Healthcheck": {"Test": ["CMD", "true"], "Interval": 30_000_000_000}, "Unknown": {"user": 1, "User": 2}},
]
REFUSED: list[object] = [
    {"Volumes": {"/data": {}}},
    {"OnBuild": ["RUN true"]},
    {"Env": ["PATH"]},
    {"Env": ["=x"]},
    {"Env": ["A=b\0c"]},
    {"Labels": {"a\0": "b"}},
    {"ExposedPorts": {"99999/tcp": {}}},
    {"ExposedPorts": {"80/icmp": {}}},
    {"ExposedPorts": {"-1": {}}},
    {"StopSignal": "SIGNOTHING"},
    {"StopSignal": "65"},
    {"WorkingDir": "app"},
    {"WorkingDir": "/app/../x"},
]
UNKNOWN_ONLY: list[object] = [
    {"User": "root"},
    {"User": "0"},
    {"User": "0:65532"},
    {"User": "+1"},
    {"User": "65532:docker"},
    {"User": "65532:0"},
    {"Env": ["LD_PRELOAD=/x.so"]},
    {"Env": ["A=b", "LD_AUDIT="]},
    {"Env": ["GLIBC_TUNABLES=x"]},
]


@pytest.mark.parametrize("is_licence", [True, False])
@pytest.mark.parametrize("runs", TAKEN)
def test_what_images_have_is_taken(runs: object, *, is_licence: bool) -> None:
    assert is_taken(runs, is_licence=is_licence)


@pytest.mark.parametrize("is_licence", [True, False])
@pytest.mark.parametrize("runs", REFUSED)
def test_what_no_image_may_have_is_refused(runs: object, *, is_licence: bool) -> None:
    assert not is_taken(runs, is_licence=is_licence)


@pytest.mark.parametrize("runs", UNKNOWN_ONLY)
def test_a_licence_runs_as_nobody_by_name_and_loads_nothing_first(runs: object) -> None:
    assert not is_taken(runs, is_licence=True)
    assert is_taken(runs, is_licence=False)


@pytest.mark.parametrize("key", ["user", "USER", "U\N{LATIN SMALL LETTER LONG S}er", "volumes", "onbuild", "env"])
def test_a_setting_is_spelled_in_one_way(key: str) -> None:
    with pytest.raises(Refused) as refused:
        config({key: None})
    assert (refused.value.code, refused.value.params["setting"]) == ("configuration", key)


@pytest.mark.parametrize("key", ["Config", "RootFS", "OS", "Architecture", "os.Version", "Container_Config"])
def test_what_is_beside_the_settings_is_spelled_in_one_way_as_well(key: str) -> None:
    with pytest.raises(Refused) as refused:
        config({}, **{key: None})
    assert refused.value.code == "configuration"


@pytest.mark.parametrize(
    "runs",
    [{"Cmd": "sh"}, {"Env": {}}, {"User": 0}, {"Volumes": []}, {"Labels": {"a": 1}}, {"Healthcheck": {"Test": "x"}}],
)
def test_a_setting_of_another_type_is_no_configuration(runs: object) -> None:
    with pytest.raises(Refused) as refused:
        config(runs)
    assert refused.value.code == "description"


def test_another_kind_of_root_file_system_is_refused() -> None:
    with pytest.raises(Refused):
        ensure(config({}, rootfs={"type": "layers+base", "diff_ids": []}), is_licence=False)


def test_there_is_a_rule_for_each_setting_that_could_run_something_else() -> None:
    assert {rule.setting for rule in RULES} == {
        "Volumes", "OnBuild", "Env", "ExposedPorts", "StopSignal", "WorkingDir", "User"
    }  # fmt: skip
