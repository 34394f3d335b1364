"""Containers as an engine lists and describes them, and which of them are ours."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from docker import APIClient
from docker.errors import NotFound, create_api_error_from_http_exception
from requests import HTTPError

from wizard.backends.engine import reading, refusals, template
from wizard.domain.instance import Instance
from wizard.domain.project import Node

MADE = "created"
"""The state of one that has not run yet."""
UP = ("running", "restarting", "paused")


def found(engine: APIClient, node: Node, name: str) -> dict[str, Any] | None:
    """Our container of that name, as the engine describes it. BackendError when it is somebody else's."""
    described = _described(engine, template.checked(name))
    if described is not None and template.OURS not in (described["Config"]["Labels"] or {}):
        raise refusals.name_taken(node, name)
    return described


def of_licence(engine: APIClient, licence: str) -> Sequence[Mapping[str, Any]]:
    """All containers of ours for that licence, as the engine lists them: running or not."""
    listed: Sequence[Mapping[str, Any]] = engine.containers(
        all=True, filters={"label": f"{template.OURS}={template.checked(licence)}"}
    )
    return listed


def name_of(listed: Mapping[str, Any]) -> str:
    return str(listed["Names"][0]).removeprefix("/")


def is_ours(listed: Mapping[str, Any]) -> bool:
    return template.OURS in (listed["Labels"] or {})


def is_of(listed: Mapping[str, Any], licence: str) -> bool:
    return bool((listed["Labels"] or {}).get(template.OURS) == licence)


def is_up(listed: Mapping[str, Any]) -> bool:
    """Whether it runs, or will by itself: one that the engine starts again and again has its volume and port, too."""
    return listed["State"] in UP


def port_of(described: Mapping[str, Any]) -> int:
    """The port that one of ours publishes, whether it runs or not; 0 when a person has made it without our label."""
    label = str(described["Config"]["Labels"].get(template.PORT_LABEL, ""))
    return int(label) if label.isdecimal() else 0


def instance(described: Mapping[str, Any]) -> Instance:
    """One of ours, as the port has it."""
    state = described["State"]
    running = bool(state["Running"]) and not state.get("Restarting", False)
    return Instance(
        name=str(described["Name"]).removeprefix("/"),
        running=running,
        port=port_of(described),
        exit_code=None if running or state["Status"] == "created" else int(state["ExitCode"]),
        paused=bool(state.get("Paused", False)),
        restarts=int(described.get("RestartCount", 0)),
        out_of_memory=bool(state.get("OOMKilled", False)),
        memory=memory_of(described),
        licence=str(described["Config"]["Labels"][template.OURS]),
    )


def memory_of(described: Mapping[str, Any]) -> int:
    """Bytes that it may have; 0 when that is not limited, or not told."""
    return int((described.get("HostConfig") or {}).get("Memory") or 0)


def instances(engine: APIClient) -> Sequence[Instance]:
    """All of ours, by name: running or not, whoever made them. One that goes meanwhile is left out."""
    listed = engine.containers(all=True, filters={"label": template.OURS})
    return sorted(
        (instance(it) for entry in listed if (it := _described(engine, entry["Id"])) is not None),
        key=lambda it: it.name,
    )


def read_config(engine: APIClient, container: str, filename: str) -> bytes | None:
    """A file of its config volume; None while there is none of that name."""
    try:
        archive, _ = engine.get_archive(container, f"{template.CONFIG}/{template.checked_file(filename)}")
    except NotFound:
        return None
    return reading.file_of(archive)


def logs(engine: APIClient, container: str, lines: int, *, has_terminal: bool = False) -> str:
    """The last lines of its output, of which at most `reading.LONGEST_OUTPUT` bytes, as text that nothing obeys."""
    answer = engine.get(
        f"{engine.base_url}/v{engine.api_version}/containers/{quote(container, safe='')}/logs",
        params={"stdout": 1, "stderr": 1, "tail": lines},
        timeout=engine.timeout,
        stream=True,
    )
    with answer:
        if not answer.ok:
            create_api_error_from_http_exception(HTTPError(response=answer))
        return reading.output_of(answer.iter_content(reading.PIECE), has_terminal=has_terminal)


def _described(engine: APIClient, name: str) -> dict[str, Any] | None:
    try:
        described: dict[str, Any] = engine.inspect_container(name)
    except NotFound:
        return None
    return described
