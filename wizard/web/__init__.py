"""The web: blueprints, one a surface. They know no step by name."""

from collections.abc import Sequence

from flask import Flask

from wizard.flow import Flow
from wizard.ports import Accounts, Services
from wizard.web import (
    account,
    audit,
    audit_edge,
    embed,
    frames,
    health,
    language,
    lean,
    nodes,
    people,
    problems,
    security,
    sessions,
    shares,
    uploads,
    who,
    wizard,
)
from wizard.web.account import Entrance
from wizard.web.frames import Embedding, Frames
from wizard.web.proxies import BehindProxies


def furnish(
    app: Flask,
    flow: Flow,
    services: Services,
    accounts: Accounts,
    demonstration_image: str = "",
    embedding: Embedding | None = None,
    ways: Sequence[who.Identify] = (),
    entrance: Entrance | None = None,
) -> None:
    """Give the application its surfaces. `demonstration_image` is the URL of an image to try, where there is one;
    `embedding` says who may show the wizard in a frame, where anybody may; `ways` of being let in come before its own;
    `entrance` is how people come in.

    """
    lean.serve(app)  # first: it packs what all others have done
    framing = Frames(embedding, str(app.secret_key), services.clock)
    entrance = entrance or Entrance()
    app.wsgi_app = BehindProxies(app.wsgi_app, entrance.proxies)  # type: ignore[method-assign]
    door = account.Door(accounts, services.clock, str(app.secret_key), entrance)
    reception = people.Reception(accounts, services.clock, door)
    counter = shares.Counter(services, door)
    ways = framing.first([*ways, door.identify, counter.identify])
    public = {
        "static",
        "health.healthz",
        *account.PUBLIC,
        *people.PUBLIC,
        *shares.PUBLIC,
        *embed.PUBLIC,
        *language.PUBLIC,
    }
    app.before_request(
        who.Guard(ways, framing.turn_away(counter.turn_away), public=public, own=account.OWN | embed.OWN)
    )  # first: it asks who it is before anything else
    audit_edge.Noting(services, accounts, ways, public=public).attend(app)
    security.protect(app, framing)
    sessions.bake(app, secure=entrance.is_secure)
    language.speak(app)
    problems.handle(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["demonstration_image"] = demonstration_image
    app.jinja_env.globals["somebody"] = who.somebody
    app.jinja_env.globals["session_left"] = account.warning
    app.jinja_env.globals |= counter.names
    app.jinja_env.globals |= {"frame": framing.shown, "ended_parent": frames.ended_parent}
    app.register_blueprint(account.blueprint(door))
    app.register_blueprint(audit.blueprint(services))
    if embedding is not None:
        app.register_blueprint(embed.blueprint(flow, services, framing, embedding.launches))
    app.register_blueprint(health.blueprint())
    app.register_blueprint(nodes.blueprint(services))
    app.register_blueprint(people.blueprint(reception))
    app.register_blueprint(shares.blueprint(counter))
    app.register_blueprint(uploads.blueprint(services))
    app.register_blueprint(wizard.blueprint(flow, services))
