"""What projects send: opened, judged, and answered with a signature (SPEC.md, section 4)."""

from collections.abc import Callable

from wizard.licensing.protocol.messages import (
    Beat,
    Certificate,
    Deauthorize,
    Feedback,
    Message,
    Opened,
    Register,
    Release,
    Result,
    open_message,
    seal_message,
)
from wizard.licensing.rules import events
from wizard.licensing.rules.events import Answer
from wizard.licensing.rules.limits import Millis
from wizard.licensing.server.authorization import Authorization, Refused
from wizard.licensing.server.desk import WHOLE_PROJECT, Answered, Change


class Fork(Exception):
    """Another copy of this project has already spoken with this sequence, or with a later one."""


class Registrations:
    """The side of an authorization application that projects talk to. MessageError for what cannot be trusted."""

    def __init__(self, authorization: Authorization) -> None:
        self._authorization = authorization
        self._identity = authorization.identity

    def register(self, message: object, now: Millis) -> Message:
        """A certificate for all nodes of the message; Refused, with nothing changed, when not all can have a slot.

        Fork when the message comes from a copy of the project.
        """
        opened = open_message(Register, message)

        def handle(change: Change, last: Answered | None) -> Message:
            event = events.Register(opened.key, opened.body.project, frozenset(opened.body.nodes))
            answer = self._authorization.apply(change, event, now)
            if answer is not Answer.REGISTERED:
                raise Refused(answer)
            return self._certificate(opened, now)

        return self._exchange(opened, WHOLE_PROJECT, handle)

    def beat(self, message: object, now: Millis) -> Message:
        """The feedback, whatever it says: a project that is unknown is told so with a signature, too."""
        opened = open_message(Beat, message)

        def handle(change: Change, last: Answered | None) -> Message:
            acknowledges = last is not None and last.digest == opened.body.last
            event = events.Request(opened.key, opened.body.node, acknowledges)
            answer = self._authorization.apply(change, event, now)
            down = _attested(change) if answer is Answer.RECONNECTED else None
            return self._feedback(opened, Result(answer.value), down)

        try:
            return self._exchange(opened, opened.body.node, handle)
        except Fork:
            return self._feedback(opened, Result.FORK)

    def deauthorize(self, message: object, now: Millis) -> Message:
        """The release of all slots of the project (R12)."""
        opened = open_message(Deauthorize, message)

        def handle(change: Change, last: Answered | None) -> Message:
            answer = self._authorization.apply(change, events.Deauthorize(opened.key), now)
            return self._release(opened, Result(answer.value))

        try:
            return self._exchange(opened, WHOLE_PROJECT, handle)
        except Fork:
            return self._release(opened, Result.FORK)

    def _exchange(
        self,
        opened: Opened[Register] | Opened[Beat] | Opened[Deauthorize],
        channel: str,
        handle: Callable[[Change, Answered | None], Message],
    ) -> Message:
        """The answer to the message: the stored one when it has come before, else what `handle` makes of it.

        Answers are kept for slots, and for projects that have one: so a stranger leaves nothing in the store, and a
        project no more than it has registered.
        """
        with self._authorization.store.change() as change:
            last = change.answered(opened.key, channel)
            if last is not None and last.request == opened.digest:
                return last.answer
            if last is not None and opened.body.sequence <= last.sequence:
                raise Fork
            answer = handle(change, last)
            if _has_channel(change, opened.key, channel):
                answered = Answered(sequence=opened.body.sequence, request=opened.digest, answer=answer)
                change.keep_answer(opened.key, channel, answered)
            return answer

    def _certificate(self, opened: Opened[Register], now: Millis) -> Message:
        claims = self._identity.claims
        certificate = Certificate(
            instance=self._identity.public.hex(),
            licence=claims.licence,
            company=claims.company,
            project=opened.body.project,
            nodes=opened.body.nodes,
            maximum=claims.registrations,
            registered=now,
            request=opened.digest,
        )
        return seal_message(certificate, self._identity.signing)

    def _feedback(self, opened: Opened[Beat], result: Result, down: Millis | None = None) -> Message:
        return seal_message(Feedback(result=result, request=opened.digest, down_ms=down), self._identity.signing)

    def _release(self, opened: Opened[Deauthorize], result: Result) -> Message:
        return seal_message(Release(result=result, request=opened.digest), self._identity.signing)


def _has_channel(change: Change, project: str, channel: str) -> bool:
    """Whether the last answer on that channel is kept."""
    slots = change.instance.slots
    return (project, channel) in slots or (channel == WHOLE_PROJECT and any(project == other for other, _ in slots))


def _attested(change: Change) -> Millis:
    """For how long the last shutdown was."""
    stopped, started = change.instance.stopped, change.instance.started
    return started - stopped if started is not None and stopped is not None else 0
