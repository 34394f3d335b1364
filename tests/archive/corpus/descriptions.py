"""JSON that readers understand differently, or not at all."""

from tests.archive.broken import with_manifest
from tests.archive.build import GOOD, digest
from tests.archive.corpus.making import Case, configured, put, rewritten, text_of, with_oci_manifest

DESCRIPTIONS: dict[str, Case] = {
    "a key twice in the manifest": Case(
        "description",
        text_of("manifest.json", put(b'[{"Config"', b'[{"Config": "x", "Config"')),
    ),
    "a key twice in the configuration": Case("description", rewritten(put(b'"os": ', b'"os": "windows", "os": '))),
    "a key in another case in the configuration": Case(
        "configuration",
        rewritten(put(b'"rootfs": ', b'"Config": {"User": "0"}, "rootfs": ')),
    ),
    "a key with a long s in the configuration": Case(
        "configuration",
        rewritten(put(b'"config": {', '"config": {"U\u017fer": "0", '.encode())),
    ),
    "a key in another case in the manifest": Case(
        "description",
        text_of("manifest.json", put(b'"RepoTags"', b'"config": "x.json", "RepoTags"')),
    ),
    "a key in another case in the index": Case(
        "description",
        text_of("index.json", put(b'"manifests"', b'"Manifests": [], "manifests"')),
    ),
    "a key twice in the index": Case(
        "description",
        text_of("index.json", put(b'"manifests"', b'"manifests": [], "manifests"')),
    ),
    "NaN in the configuration": Case("description", rewritten(put(b'"os"', b'"x": NaN, "os"'))),
    "a byte order mark": Case("description", text_of("manifest.json", lambda it: b"\xef\xbb\xbf" + it)),
    "UTF-16": Case("description", text_of("manifest.json", lambda it: it.decode().encode("utf-16"))),
    "something after the JSON": Case("description", text_of("manifest.json", lambda it: it + b"[]")),
    "half a character": Case("description", text_of("manifest.json", put(b"1.0.0", b"1.0.\\ud800"))),
    "bytes that are no text": Case("description", text_of("manifest.json", put(b"1.0.0", b"1.0.\xff"))),
    "a number of a hundred thousand digits": Case(
        "description",
        rewritten(put(b'"os"', b'"x": ' + b"9" * 100_000 + b', "os"')),
    ),
    "a name that is a number": Case("description", with_manifest(lambda it: [it[0] | {"RepoTags": [1]}])),
    "layers that are a text": Case("description", with_manifest(lambda it: [it[0] | {"Layers": "x"}])),
    "labels that are a list": Case("description", configured(Labels=["license.claims"])),
    "a size that is a text": Case(
        "description",
        with_oci_manifest(config={"digest": f"sha256:{digest(GOOD.config)}", "size": "9"}),
    ),
    "a comment in the JSON": Case("description", text_of("manifest.json", lambda it: b"/* */" + it)),
    "another version of the layout": Case(
        "description",
        text_of("oci-layout", lambda _: b'{"imageLayoutVersion": "2.0.0"}'),
    ),
    "a layout file that is no JSON": Case("description", text_of("oci-layout", lambda _: b"1.0.0")),
    "another version of the schema": Case("description", with_oci_manifest(schemaVersion=1)),
}
