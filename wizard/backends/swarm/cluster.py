"""The swarm that a node is part of, as one of its managers tells of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from docker.errors import APIError, NotFound

from wizard.backends.engine import service as services
from wizard.backends.engine import template
from wizard.backends.engine.channel import Channel
from wizard.backends.refusals import one_of_ours
from wizard.backends.swarm import refusals
from wizard.domain.project import Node
from wizard.errors import BackendError
from wizard.text import Text

SECONDS_TO_FIND = 3
"""For an engine that may be a manager: there are others to ask."""
ATTEMPTS = 5
OUT_OF_SEQUENCE = "update out of sequence"
"""How Swarm says that a service was changed since it was read."""
WANTED = ("ready", "running")
"""What a task is to be that has its port, or waits a moment to be started again."""
Service = Mapping[str, Any]


class Cluster:
    """A manager, asked for one node that is known there as `node_id`. Each method is a piece of work of its own."""

    def __init__(self, node: Node, node_id: str, manager: Channel) -> None:
        self.node_id = node_id
        self._node = node
        self._manager = manager

    def trouble(self) -> Text | None:
        """Why the node is given no work; None when it is ready for it."""
        with self._manager.open() as manager:
            node = manager.inspect_node(self.node_id)
        if node["Status"]["State"] != "ready":
            return refusals.is_down(node["Status"]["State"])
        if node["Spec"]["Availability"] != "active":
            return refusals.is_set_aside(node["Spec"]["Availability"])
        return None

    def api_version(self) -> str:
        """The version that is spoken with the manager."""
        with self._manager.open() as manager:
            return str(manager.api_version)

    def service(self, name: str) -> dict[str, Any] | None:
        """Our service of that name, which is pinned to the node. BackendError when it is another's."""
        with self._manager.open() as manager:
            try:
                found: dict[str, Any] = manager.inspect_service(template.checked(name))
            except NotFound:
                return None
        if found["Spec"]["Name"] != name:  # it was found by the beginning of its id
            return None
        if not self._is_ours(found):
            raise refusals.name_taken(self._node, name)
        return found

    def services(self) -> Sequence[Service]:
        """All of ours that are pinned to the node."""
        with self._manager.open() as manager:
            found = manager.services(filters={"label": template.OURS})
        return [service for service in found if self._is_ours(service)]

    def tasks(self, name: str) -> Sequence[Mapping[str, Any]]:
        """Newest first; none when there is no such service."""
        with self._manager.open() as manager:
            try:
                found = manager.tasks(filters={"service": template.checked(name)})
            except NotFound:
                return []
        return sorted(found, key=lambda task: str(task["CreatedAt"]), reverse=True)

    def published(self, besides: str) -> Mapping[int, Text]:
        """Who has which port of the node, of all services of the swarm; the one named `besides` is left out.

        A port of the whole swarm (mode ingress) is held on each of its nodes, one in mode host where a task of it is,
        or is about to be again.
        """
        with self._manager.open() as manager:
            found = manager.services()
            tasks = manager.tasks(filters={"node": self.node_id})
        here = {task["ServiceID"] for task in tasks if task["DesiredState"] in WANTED}
        return {
            int(port["PublishedPort"]): _words(service)
            for service in found
            if service["Spec"]["Name"] != besides
            for port in service.get("Endpoint", {}).get("Ports") or ()
            if port.get("PublishedPort") and (port.get("PublishMode") == "ingress" or service["ID"] in here)
        }

    def create(self, body: Mapping[str, Any]) -> Sequence[str]:
        """The names of what the swarm has left out, because it is older."""
        with self._manager.open() as manager:
            manager.create_service(
                body["TaskTemplate"],
                name=body["Name"],
                labels=body["Labels"],
                mode=body["Mode"],
                update_config=body["UpdateConfig"],
                endpoint_spec=body["EndpointSpec"],
            )
            taken = manager.inspect_service(body["Name"])["Spec"]
        return list(services.left_out(body, taken))

    def scale(self, name: str, replicas: int) -> None:
        """Have it run (1) or not (0). How it ended the last time is forgotten when it is to run."""

        def change(spec: dict[str, Any]) -> None:
            spec["Mode"] = {"Replicated": {"Replicas": replicas}}
            if replicas:
                spec["Labels"].pop(services.EXIT_LABEL, None)

        self._change(name, change)

    def note_exit(self, name: str, code: int) -> None:
        """Keep how its container ended: Swarm takes it away."""

        def change(spec: dict[str, Any]) -> None:
            spec["Labels"][services.EXIT_LABEL] = str(code)

        self._change(name, change)

    def remove(self, name: str) -> None:
        """Nothing to do when there is none. Its container is not gone yet when this returns."""
        found = self.service(name)
        if found is not None:
            with self._manager.open() as manager:
                try:
                    manager.remove_service(found["ID"])
                except NotFound:
                    return

    def _change(self, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Read it, change it, write it; anew when somebody else has written it between."""
        for attempt in range(ATTEMPTS):
            found = self.service(name)
            if found is None:
                return
            change(found["Spec"])
            if self._write(found, must_succeed=attempt == ATTEMPTS - 1):
                return

    def _write(self, found: Service, *, must_succeed: bool) -> bool:
        """Whether it was written as it was read; it was not when somebody else came before."""
        spec = found["Spec"]
        with self._manager.open() as manager:
            try:
                manager.update_service(
                    found["ID"],
                    found["Version"]["Index"],
                    task_template=spec["TaskTemplate"],
                    name=spec["Name"],
                    labels=spec["Labels"],
                    mode=spec["Mode"],
                    update_config=spec["UpdateConfig"],
                    endpoint_spec=spec["EndpointSpec"],
                )
            except APIError as error:
                if must_succeed or OUT_OF_SEQUENCE not in str(error.explanation):
                    raise
                return False
        return True

    def _is_ours(self, found: Service) -> bool:
        spec = found["Spec"]
        constraints = spec["TaskTemplate"].get("Placement", {}).get("Constraints") or ()
        is_here = services.pinned(self.node_id) in constraints and "Replicated" in spec["Mode"]
        return is_here and template.OURS in (spec["Labels"] or {})


def found(node: Node, node_id: str, candidates: Iterable[tuple[str, Channel]]) -> tuple[Cluster, str]:
    """The swarm of the node, by the first of these engines that manages it and answers, and the slug of that one."""
    silent = ""
    for slug, channel in candidates:
        try:
            if _manages(channel, node_id):
                return Cluster(node, node_id, channel), slug
        except BackendError as error:
            silent = silent if error.permanent else error.problem.raw or str(error)
    raise refusals.managers_silent(node, silent) if silent else refusals.no_manager(node)


def _manages(channel: Channel, node_id: str) -> bool:
    with channel.open(SECONDS_TO_FIND) as engine:
        if not engine.info()["Swarm"]["ControlAvailable"]:
            return False
        try:
            engine.inspect_node(node_id)
        except NotFound:  # another swarm's
            return False
        return True


def replicas(found: Service) -> int:
    return int(found["Spec"]["Mode"]["Replicated"]["Replicas"])


def _words(found: Service) -> Text:
    is_ours = template.OURS in (found["Spec"]["Labels"] or {})
    return (one_of_ours if is_ours else refusals.a_service)(found["Spec"]["Name"])
