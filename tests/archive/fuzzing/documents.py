"""What chance does to JSON: keys twice, in another case, of another type, too many, too few."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

SHAPES: Sequence[Any] = (None, True, 0, -1, 1e308, 1 << 70, "", "x", [], {}, [None], "sha256:" + "ab" * 32)
SETTINGS: Sequence[tuple[str, Any]] = (
    ("User", "0"),
    ("User", "65532"),
    ("user", "root"),
    ("Volumes", {"/data": {}}),
    ("OnBuild", ["RUN true"]),
    ("Env", ["LD_PRELOAD=/x.so"]),
    ("Entrypoint", ["/bin/sh"]),
    ("Config", {"User": "0"}),
    ("config", {}),
    ("Layers", []),
    ("RepoTags", ["nginx:latest"]),
    ("data", "e30="),
    ("urls", ["http://198.51.100.7/x"]),
    ("size", 1),
    ("mediaType", "application/vnd.oci.image.index.v1+json"),
    ("platform", {"architecture": "arm64", "os": "linux"}),
    ("annotations", {"io.containerd.image.name": "docker.io/library/nginx:latest"}),
    ("architecture", "arm64"),
    ("variant", "v4"),
    ("rootfs", {"type": "layers", "diff_ids": []}),
)


class Pairs(list[tuple[str, Any]]):
    """An object of JSON, which may have a key twice."""


def edited(chance: Random, text: bytes) -> bytes:
    """The document with one thing changed; unchanged when it is none."""
    try:
        document = json.loads(text, object_pairs_hook=Pairs)
    except ValueError:
        return text
    nodes = list(_nodes(document))
    if not nodes:
        return _text(chance.choice(SHAPES)).encode()
    node = chance.choice(nodes)
    chance.choice(OF_OBJECTS if isinstance(node, Pairs) else OF_LISTS)(chance, node)
    return _text(document).encode("utf-8", "surrogatepass")


def _nodes(document: Any) -> list[list[Any]]:
    """Every object and list in it."""
    inner = [value for _, value in document] if isinstance(document, Pairs) else document
    if not isinstance(document, list):
        return []
    return [document, *(node for value in inner for node in _nodes(value))]


def _text(node: Any) -> str:
    if isinstance(node, Pairs):
        return "{" + ", ".join(f"{json.dumps(key)}: {_text(value)}" for key, value in node) + "}"
    if isinstance(node, list):
        return "[" + ", ".join(map(_text, node)) + "]"
    return json.dumps(node)


def _otherwise(chance: Random, value: Any) -> Any:
    if isinstance(value, str) and value and chance.random() < 0.6:
        at = chance.randrange(len(value))
        return chance.choice([value[:at], value + "x", value.swapcase(), value[:at] + "\0" + value[at:], f"./{value}"])
    if isinstance(value, int) and chance.random() < 0.6:
        return chance.choice([value + 1, value - 1, -value, float(value), str(value)])
    return chance.choice(SHAPES)


def _respelled(chance: Random, key: str) -> str:
    """As Go reads it alike: letters of another case, the long s, the Kelvin sign."""
    ways = [key.swapcase(), key.lower(), key.title(), key.replace("s", "\u017f"), key.replace("k", "\u212a")]
    return chance.choice(ways)


def _set_value(chance: Random, node: list[Any]) -> None:
    if node:
        at = chance.randrange(len(node))
        node[at] = (node[at][0], _otherwise(chance, node[at][1]))


def _set_key(chance: Random, node: list[Any]) -> None:
    if node:
        at = chance.randrange(len(node))
        node[at] = (_respelled(chance, node[at][0]), node[at][1])


def _double_key(chance: Random, node: list[Any]) -> None:
    if node:
        key, value = chance.choice(node)
        key = chance.choice([key, key, _respelled(chance, key)])
        node.insert(chance.randrange(len(node) + 1), (key, chance.choice([value, _otherwise(chance, value)])))


def _add_setting(chance: Random, node: list[Any]) -> None:
    key, value = chance.choice(SETTINGS)
    node.insert(chance.randrange(len(node) + 1), (key, json.loads(json.dumps(value), object_pairs_hook=Pairs)))


def _drop(chance: Random, node: list[Any]) -> None:
    if node:
        del node[chance.randrange(len(node))]


def _shuffle(chance: Random, node: list[Any]) -> None:
    chance.shuffle(node)


def _double(chance: Random, node: list[Any]) -> None:
    if node:
        node.insert(chance.randrange(len(node) + 1), chance.choice(node))


def _set_item(chance: Random, node: list[Any]) -> None:
    if node:
        at = chance.randrange(len(node))
        node[at] = _otherwise(chance, node[at])


OF_OBJECTS: Sequence[Callable[[Random, list[Any]], None]] = (
    _set_value,
    _set_key,
    _double_key,
    _add_setting,
    _add_setting,
    _drop,
    _shuffle,
)
OF_LISTS: Sequence[Callable[[Random, list[Any]], None]] = (_set_item, _drop, _double, _shuffle)
