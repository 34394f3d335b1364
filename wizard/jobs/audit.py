"""What the worker has to say in the audit trail: how each operation has ended, and where the trail ends."""

import logging

from wizard.domain.audit import Deed, Outcome, Way, subject_of, word
from wizard.domain.audit_acts import known
from wizard.domain.operation import Operation, OperationState
from wizard.ports import Trail, Workshop

logger = logging.getLogger("wizard.audit")

OUTCOMES = {
    OperationState.DONE: Outcome.DONE,
    OperationState.FAILED: Outcome.FAILED,
    OperationState.ABORTED: Outcome.UNDONE,
}


def note_end(operation: Operation, workshop: Workshop) -> None:
    """Note how it has ended, on behalf of whoever asked for it. What cannot be noted is logged, and stops nothing."""
    if operation.state not in OUTCOMES:
        return
    try:
        workshop.trail.append(deed_of(operation, workshop))
    except Exception:
        logger.exception("The end of operation %s could not be noted: %s", operation.id, operation.state)


def deed_of(operation: Operation, workshop: Workshop) -> Deed:
    registration = workshop.store.registration(operation.registration_id)
    return Deed(
        at=workshop.clock(),
        who=word(operation.asked_by),
        way=Way.WORKER,
        act=known(f"worked-{operation.kind}", "worked"),
        outcome=OUTCOMES[operation.state],
        reason=operation.problem.happened if operation.problem else None,
        registration=operation.registration_id,
        details=subject_of(registration) | {"operation": operation.id},
    )


def note_digest(trail: Trail) -> None:
    """Log where the trail ends: what was cut off behind it can be told by whoever kept the log elsewhere."""
    end = trail.end()
    logger.info("audit trail: entry %s has the digest %s", end.number, end.digest)
