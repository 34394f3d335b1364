"""What the pages work with: the projects, a clock, and whom to tell of a registration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from flask import Flask, abort, current_app
from flask_babel import gettext as _

from wizard.licensing.client.client import Client
from wizard.licensing.rules.limits import Millis

NAME = "applications"


@dataclass(frozen=True, kw_only=True)
class Applications:
    """The projects by their slugs; `registered` is told the slug of one that has just registered."""

    clients: Mapping[str, Client]
    clock: Callable[[], Millis]
    registered: Callable[[str], None]


def attach(app: Flask, applications: Applications) -> None:
    app.extensions[NAME] = applications


def here() -> Applications:
    return cast(Applications, current_app.extensions[NAME])


def find(slug: str) -> Client:
    """The project of that slug; 404 when there is none."""
    client = here().clients.get(slug)
    if client is None:
        abort(404, _("There is no such project here."))
    return client
