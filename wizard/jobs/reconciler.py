"""Compares what is on a node with what the store says should be there, and mends what was left half done."""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from wizard.domain.deployment import ServerState
from wizard.domain.image import Image
from wizard.domain.instance import Instance
from wizard.domain.operation import Operation, OperationState
from wizard.domain.project import Node
from wizard.domain.registration import Registration
from wizard.errors import WizardError
from wizard.ports import Supervising, Workshop

logger = logging.getLogger(__name__)

NAMED_AFTER = re.compile(r"fineops-license-([0-9a-f]{12})", re.ASCII)
"""How a container is named: after the beginning of the id of its operation (steps/deploy.py)."""
WITHOUT_RESULT = (OperationState.FAILED, OperationState.ABORTED)


class Reconciler:
    """Kept as long as the worker runs: what can only be said is said once. A stranger's container is never touched."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._said: set[str] = set()
        self._unloaded: set[str] = set()

    def reconcile(self, node: Node) -> None:
        """BackendError when the node does not answer.

        The store is read first: whatever was deployed by then is on the node when its containers are listed.
        """
        registrations = self._workshop.store.registrations()
        found = {instance.name: instance for instance in self._workshop.backend.containers(node)}
        kept = {it.deployment.name: it for it in registrations if it.deployment is not None}
        given_up = {deployment.name for it in registrations for deployment in it.discarded}
        for name, instance in found.items():
            if name in kept:
                self._keep(node, instance, kept[name])
            elif name not in given_up:  # those are being removed already
                self._sort_out(node, name)
        self._look_for_missing(node, registrations, found)
        self._unload(node, [it for it in registrations if it.node and it.node.slug == node.slug])

    def _keep(self, node: Node, instance: Instance, registration: Registration) -> None:
        """Start again what should run: Docker 20.10 leaves a container stopped when its engine was killed.

        One that somebody stopped by hand looks the same. It is started again, too: a business that hears nothing for
        24 hours loses its registration (R11).
        """
        if instance.running or isinstance(self._workshop.backend, Supervising):
            return
        if self._is_wanted(node, instance.name, registration.id):
            logger.warning("%s on %s does not run, and should: it is started again.", instance.name, node.slug)
            self._try(lambda: self._workshop.backend.start_again(node, instance.name), node, instance.name)

    def _is_wanted(self, node: Node, name: str, registration_id: str) -> bool:
        """As it is now: not given up meanwhile, not being worked on, and not at its end for good (R13).

        Of one that is guided nobody knows whether it was stopped on purpose, as R13 demands: a person decides.
        """
        registration = self._workshop.store.registration(registration_id)
        deployment, server = registration.deployment, registration.server
        if deployment is None or (deployment.node, deployment.name) != (node.slug, name):
            return False
        last = self._workshop.store.last_operation(registration_id)
        is_retired = server is not None and server.state is ServerState.RETIRED
        return not is_retired and not registration.is_guided and (last is None or not last.is_active)

    def _sort_out(self, node: Node, name: str) -> None:
        """What an operation could not take back, because its node was away, is removed now; its volume stays."""
        operations = self._operations(name)
        if operations and all(operation.state in WITHOUT_RESULT for operation in operations):
            logger.warning("%s on %s was left by an operation that failed: it is removed.", name, node.slug)
            self._try(lambda: self._workshop.backend.remove(node, name), node, name)
        elif not any(operation.is_active for operation in operations):
            self._say_once(f"{name} on {node.slug} is labelled as ours, but not known here: it is left alone.")

    def _operations(self, name: str) -> Sequence[Operation]:
        named = NAMED_AFTER.fullmatch(name)
        return self._workshop.store.operations(named[1]) if named else ()

    def _look_for_missing(self, node: Node, registrations: Iterable[Registration], found: Iterable[str]) -> None:
        """A new container would be a new beginning, with another key perhaps: that is a person's decision."""
        for registration in registrations:
            deployment = registration.deployment
            if deployment is None or deployment.node != node.slug or deployment.name in found:
                continue
            if self._is_wanted(node, deployment.name, registration.id):
                self._say_once(
                    f"{deployment.name}, of registration {registration.id}, is not on {node.slug} any more. "
                    "It is not made anew: deploy again."
                )

    def _unload(self, node: Node, registrations: Sequence[Registration]) -> None:
        """The image of an operation that failed while its node was away goes, too, unless there is work on the node.

        No container tells of it, so the store is asked which operations may have left one: those that loaded one, and
        could not take everything back. An image that is not there, or in use, makes no difference.
        """
        last = {it.id: self._workshop.store.last_operation(it.id) for it in registrations}
        if any(operation is not None and operation.is_active for operation in last.values()):
            return
        for it in registrations:
            operation = last[it.id]
            if operation is None or it.deployment is not None or it.image is None or operation.id in self._unloaded:
                continue
            if operation.state in WITHOUT_RESULT and operation.has_left:
                self._try(partial(self._unload_once, node, it.image, operation), node, it.image.name)

    def _unload_once(self, node: Node, image: Image, operation: Operation) -> None:
        self._workshop.backend.unload(node, image)
        self._unloaded.add(operation.id)

    def _try(self, mend: Callable[[], None], node: Node, name: str) -> None:
        """What fails for one container keeps nobody from the others; the next round tries it again."""
        try:
            mend()
        except WizardError as error:
            logger.warning("%s on %s: %s %s", name, node.slug, error, error.problem.raw)

    def _say_once(self, words: str) -> None:
        if words not in self._said:
            self._said.add(words)
            logger.warning("%s", words)
