"""The web process, for gunicorn."""

from app import create_app

app = create_app()
