"""Who asks: found once for each request, by the first way that knows, and let through as far as they may go."""

from collections.abc import Callable, Collection, Sequence

from flask import g, request
from flask.typing import ResponseReturnValue

from wizard.domain.person import Person
from wizard.errors import Forbidden
from wizard.text import say

Identify = Callable[[], Person | None]
"""One way of being let in: who asks, or None when this way does not know them."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1)."""


def person() -> Person:
    """Who makes this request. Only where the guard has let somebody in."""
    found: Person = g.person
    return found


def somebody() -> Person | None:
    """The same where nobody has to be let in: None for a stranger."""
    found: Person | None = g.get("person")
    return found


class Guard:
    """Stands before every request.

    `public` names the endpoints that strangers reach, `own` those that concern nobody but the person themselves, such
    as signing out: they are open to everybody who was let in. Strangers are turned away by `turn_away`.
    """

    def __init__(
        self,
        ways: Sequence[Identify],
        turn_away: Callable[[], ResponseReturnValue],
        *,
        public: Collection[str],
        own: Collection[str],
    ) -> None:
        self._ways, self._turn_away = ways, turn_away
        self._public, self._own = frozenset(public), frozenset(own)

    def __call__(self) -> ResponseReturnValue | None:
        g.person = next((found for identify in self._ways if (found := identify())), None)
        if request.endpoint in self._public:
            return None
        if g.person is None:
            return self._turn_away()
        if request.endpoint not in self._own:
            ensure_allowed(g.person)
        return None


def ensure_allowed(asking: Person) -> None:
    """Forbidden, when it would change something and they may not, or is none of what they see."""
    if request.method not in SAFE and not asking.may_change:
        raise Forbidden(
            say("You can look at everything here, and change nothing."),
            why=say("You were let in as an observer."),
            todo=say("Ask an admin to do it, or to make you one."),
        )
    elsewhere = asking.surfaces is not None and request.blueprint not in asking.surfaces
    another = asking.registration is not None and (request.view_args or {}).get("id") != asking.registration
    if elsewhere or another:
        raise Forbidden(
            say("This page is not among those that you were let in to see."),
            todo=say("Go back, or ask an admin for a link to it."),
        )
