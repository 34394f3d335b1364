"""Sentences for people, kept apart from the language they are said in.

Nothing below the web knows which language its reader speaks, so what it has to say travels as a `Text`: the English
sentence, which is also the key of the catalogues, and the values that go into it. The web says it (gettext).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """One sentence; `msgid` holds `%(name)s` for each of `params`."""

    msgid: str
    params: "Mapping[str, str | int | Text]" = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        """The sentence in English, for logs and terminals."""
        return self.msgid % self.params if self.params else self.msgid


def say(msgid: str, /, **params: str | int | Text) -> Text:
    """A sentence to be said later; the name is the keyword by which the catalogues find it."""
    return Text(msgid, params)
