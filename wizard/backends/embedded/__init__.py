"""Runs the reference authorization application as supervised processes of this machine."""

from wizard.backends.embedded.backend import EmbeddedBackend

__all__ = ["EmbeddedBackend"]
