"""The admin as the authorization application sees it: whoever shows the token of the config volume."""

from typing import Any, cast

from werkzeug.test import TestResponse

from tests.licensing.server.bench import Bench
from wizard.licensing.protocol import api


class Admin:
    """The wizard, as far as it shows the token that it has read from the volume."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        token = (bench.config / api.ENTRY_TOKEN).read_text().strip()
        self.headers = {"Authorization": f"Bearer {token}"}

    def post(self, path: str, document: object) -> TestResponse:
        return self.bench.client.post(path, json=document, headers=self.headers)

    def status(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.bench.client.get(api.STATUS, headers=self.headers).json)

    def challenge(self) -> dict[str, Any]:
        return cast("dict[str, dict[str, Any]]", self.post(api.CHALLENGES, {}).json)["challenge"]

    def judge(self, challenge: dict[str, Any], code: str) -> str:
        answer = self.post(api.CODES, {"challenge": challenge["id"], "code": code})
        return str(cast("dict[str, Any]", answer.json)["judgement"])
