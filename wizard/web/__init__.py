"""The web: blueprints, one a surface. They know no step by name."""

from flask import Flask

from wizard.flow import Flow
from wizard.ports import Accounts, Services
from wizard.web import account, health, language, nodes, problems, security, uploads, who, wizard


def furnish(app: Flask, flow: Flow, services: Services, accounts: Accounts, demonstration_image: str = "") -> None:
    """Give the application its surfaces. `demonstration_image` is the URL of an image to try, where there is one."""
    door = account.Door(accounts, services.clock)
    app.before_request(
        who.Guard(
            [door.identify],
            door.turn_away,
            public={"static", "health.healthz", *account.PUBLIC},
            own=account.OWN,
        )
    )  # first: it asks who it is before anything else
    security.protect(app)
    language.speak(app)
    problems.handle(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["demonstration_image"] = demonstration_image
    app.jinja_env.globals["somebody"] = who.somebody
    app.register_blueprint(account.blueprint(door))
    app.register_blueprint(health.blueprint())
    app.register_blueprint(nodes.blueprint(services))
    app.register_blueprint(uploads.blueprint(services))
    app.register_blueprint(wizard.blueprint(flow, services))
