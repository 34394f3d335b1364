"""Looks at deployed containers: how they are, and what they printed."""

from wizard.domain.inspection import Inspection
from wizard.domain.registration import Registration
from wizard.ports import Workshop

LINES = 100
"""Of its output, so many are kept at hand."""


def inspect(registration: Registration, workshop: Workshop) -> None:
    """Note how the registration's container is. BackendError when its node does not tell."""
    deployment, node = registration.deployment, registration.node
    if deployment is None or node is None:
        return
    found = workshop.backend.inspect(node, deployment.name)
    inspection = Inspection(
        name=deployment.name,
        found=found is not None,
        running=found is not None and found.running and not found.paused,
        paused=found is not None and found.paused,
        exit_code=found.exit_code if found else None,
        restarts=found.restarts if found else 0,
        out_of_memory=found is not None and found.out_of_memory,
        log=workshop.backend.logs(node, deployment.name, LINES) if found else "",
        seen_at=workshop.clock(),
    )
    workshop.store.inspected(registration.id, inspection)
