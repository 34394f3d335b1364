"""Removes deployments that were given up."""

import logging

from wizard.domain.deployment import Deployment
from wizard.domain.project import Node
from wizard.domain.registration import Registration
from wizard.ports import Inventory, Workshop

logger = logging.getLogger(__name__)


def remove_discarded(registration: Registration, workshop: Workshop) -> None:
    """Take each of them from its node; the volumes stay. BackendError when a node does not do it."""
    for deployment in registration.discarded:
        node = _node(deployment, workshop.inventory)
        if node is None:
            logger.warning("%s stays: the inventory has no node %s any more.", deployment.name, deployment.node)
            continue
        workshop.backend.remove(node, deployment.name)
        workshop.store.cleared(registration.id, deployment.name)


def _node(deployment: Deployment, inventory: Inventory) -> Node | None:
    nodes = (node for project in inventory.projects() for node in project.nodes)
    return next((node for node in nodes if node.slug == deployment.node), None)
