"""Fixtures that several rooms of the tests share."""

pytest_plugins = ("tests.no_skips",)
