"""`upload`: an image of 1 GB goes through the product, which has hashed it and has it on the disk when it answers.

In turns with nginx's PUT of the same file and `openssl dgst -sha256` of it, and with the official tus server of
Node.js, which does not hash. Neither of them waits for the disk. One sender is used for all of them. The ratios are of
laps that are neighbours, as the machine is the same for those. Then the memory of the web process is looked at.
"""

import hashlib
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import permutations
from json import loads
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from werkzeug.security import generate_password_hash

from bench import archive
from bench.rivals import Lacking, Rival, install_packages, nginx, node
from bench.sending import Receiver
from tests.archive.build import END, GOOD, VENDOR_KEYS, digest, entry, header, modern, padded, tar, to_json
from tests.figures import tell
from tests.instance import Instance, free_ports, running
from tests.journey import sign_in
from tests.visitor import RealBrowser, Visitor
from tests.waiting import until
from wizard.archive.uploads import BYTES, PASSPORT
from wizard.domain.account import Account
from wizard.licensing.protocol.claims import dump_vendor_keys, layers_digest
from wizard.store.accounts import SqlAccounts

PRODUCT, NGINX, NODE = "product", "nginx", "node"
ORDERS = tuple(permutations((PRODUCT, NGINX, NODE)))
"""Of the laps, one after the other: each follows each of the others as often."""
ROUNDS = 2
AS_FAST_AS_NGINX, TIMES_AS_FAST_AS_NODE = 1.0, 2.0

LARGE = 2 << 30
AT_ONCE = 4
GROWTH_MB = 32
NAME, PASSWORD = "second", "a long password"  # of an instance that lives for a minute
UPLOADS = "/uploads/"


def run() -> bool:
    """Print the figures. Whether all of them meet their goals."""
    with TemporaryDirectory(prefix="upload-") as name:
        folder = Path(name)
        keys, image = folder / "vendor.pub", folder / "image.tar"
        keys.write_bytes(dump_vendor_keys(VENDOR_KEYS))
        archive.build(image)
        met = [_speed(folder, keys, image), _memory(folder, keys, image)]
    return all(met)


def _speed(folder: Path, keys: Path, image: Path) -> bool:
    try:
        install_packages()
        with ExitStack() as stack:
            instance = stack.enter_context(running(WIZARD_VENDOR_KEYS=str(keys)))
            port = free_ports(2)
            rivals = [
                stack.enter_context(rival(_new(folder / name), port + number))
                for number, (name, rival) in enumerate({NGINX: nginx, NODE: node}.items())
            ]
            return Race(instance, image, *rivals).run()
    except Lacking as lacking:
        print(f"upload: nothing can be compared, for want of {lacking}")
        return False


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


class Race:
    """All of them with one file. Each lap gives its seconds, and leaves nothing behind."""

    def __init__(self, instance: Instance, image: Path, nginx: Rival, node: Rival) -> None:
        self._image = image
        self._instance = instance
        self._nginx = nginx
        self._node = node
        self._product = owner(instance)
        self._laps: Mapping[str, Callable[[], float]] = {PRODUCT: self.product, NGINX: self.nginx, NODE: self.node}

    def run(self) -> bool:
        self._ensure_the_same()
        self._round(ORDERS[0])  # what is done once is done
        rounds = [self._round(order) for order in ORDERS * ROUNDS]
        for name in self._laps:
            laps = ", ".join(f"{seconds[name]:.2f}" for seconds in rounds)
            print(f"{name}: {statistics.median(seconds[name] for seconds in rounds):.2f} s; laps {laps}")
        to_nginx = statistics.median(seconds[PRODUCT] / seconds[NGINX] for seconds in rounds)
        to_node = statistics.median(seconds[NODE] / seconds[PRODUCT] for seconds in rounds)
        figures = (
            tell("bench.upload.seconds_to_nginx_and_openssl", to_nginx, "<=", AS_FAST_AS_NGINX, digits=2),
            tell("bench.upload.speed_to_node", to_node, ">=", TIMES_AS_FAST_AS_NODE, digits=2),
        )
        return all(figures)

    def _round(self, order: Sequence[str]) -> Mapping[str, float]:
        seconds = {}
        for name in order:
            os.sync()  # what the disk still writes is not the next one's
            seconds[name] = self._laps[name]()
        return seconds

    def product(self) -> float:
        began = time.monotonic()
        place = self._product.upload(UPLOADS, self._image)
        took = time.monotonic() - began
        self._product.remove(place)  # which ends its check, too
        return took

    def nginx(self) -> float:
        began = time.monotonic()
        self._nginx.receiver.put("/image.tar", self._image)
        kept = self._nginx.kept / "image.tar"
        subprocess.run(["openssl", "dgst", "-sha256", kept], check=True, capture_output=True)
        took = time.monotonic() - began
        kept.unlink()
        return took

    def node(self) -> float:
        began = time.monotonic()
        self._node.receiver.upload("/files", self._image)
        took = time.monotonic() - began
        for kept in self._node.kept.iterdir():
            kept.unlink()
        return took

    def _ensure_the_same(self) -> None:
        """What is fast has to be right, too."""
        place = self._product.upload(UPLOADS, self._image)
        if _digest(_folder(self._instance, place) / BYTES) != _digest(self._image):
            raise RuntimeError("What has arrived is not what was sent, so there is nothing to measure.")
        self._product.remove(place)


def _folder(instance: Instance, place: str) -> Path:
    """Where the product keeps an upload."""
    return instance.data / "uploads" / Path(place).name


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Browser(RealBrowser):
    """Tells what it sends with every request, for somebody else to send the same."""

    def headers(self, visitor: Visitor) -> Mapping[str, str]:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._session.cookies)
        return {"Cookie": cookies, "X-CSRFToken": str(visitor.one("input[name=csrf_token]")["value"])}


def owner(instance: Instance) -> Receiver:
    """The product, for the owner of the installation, who signs in."""
    browser = Browser()
    return _signed_in(instance, browser, sign_in(Visitor(browser), instance.link))


def another(instance: Instance) -> Receiver:
    """The product for somebody else: two uploads at once are all that one may have."""
    password_hash = generate_password_hash(PASSWORD, "scrypt")
    accounts = SqlAccounts(f"sqlite:///{instance.data / 'wizard.db'}")
    accounts.add_account(Account(name=NAME, password_hash=password_hash, created_at=datetime.now(UTC)))
    accounts.close()
    browser = Browser()
    visitor = Visitor(browser).open(f"{instance.url}/sign-in")
    return _signed_in(instance, browser, visitor.press("Sign in", name=NAME, password=PASSWORD))


def _signed_in(instance: Instance, browser: Browser, visitor: Visitor) -> Receiver:
    return Receiver(port=int(instance.url.rpartition(":")[2]), headers=browser.headers(visitor.open(instance.url)))


def _memory(folder: Path, keys: Path, image: Path) -> bool:
    """A file that is as large as they come, and several that have many files in them."""
    large, small = folder / "large.tar", folder / "small.tar"
    build_large(large)
    small.write_bytes(tar(modern()))
    with running(WIZARD_VENDOR_KEYS=str(keys)) as instance:
        receivers = [owner(instance), another(instance)] * (AT_ONCE // 2)
        _sent(instance, receivers, small)  # what is loaded once is loaded
        with _growth(instance) as of_large:
            _sent(instance, receivers[:1], large)
        with _growth(instance) as of_several:
            _sent(instance, receivers, image)
    figures = (
        tell("bench.upload.memory_mb_of_2_gb", of_large[0], "<=", GROWTH_MB, digits=1),
        tell("bench.upload.memory_mb_of_four_at_once", of_several[0], "<=", GROWTH_MB, digits=1),
    )
    return all(figures)


def _sent(instance: Instance, receivers: Sequence[Receiver], file: Path) -> None:
    """By all of them at once. Each is looked at to its end, and then removed."""

    def send(receiver: Receiver) -> None:
        place = receiver.upload(UPLOADS, file)
        passport = _folder(instance, place) / PASSPORT
        until(lambda: passport.exists() and loads(passport.read_bytes())["is_complete"], "it was checked")
        receiver.remove(place)

    with ThreadPoolExecutor(len(receivers)) as pool:
        list(pool.map(send, receivers))


@contextmanager
def _growth(instance: Instance) -> Iterator[list[float]]:
    """Megabytes of memory that the web processes have taken at most meanwhile, beyond what they had."""
    processes = instance.processes("wsgi:app")
    for process in processes:
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # the peak begins anew (proc(5))
    before = sum(_kibibytes(process, "VmRSS") for process in processes)
    growth: list[float] = []
    yield growth
    growth.append((sum(_kibibytes(process, "VmHWM") for process in processes) - before) / 1024)


def _kibibytes(process: psutil.Process, field: str) -> int:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def build_large(path: Path) -> None:
    """An image of one file of zeros, most of which is not even on the disk."""
    measured, zeros = hashlib.sha256(header(b"zeros", LARGE)), bytes(1 << 20)
    for _ in range(LARGE // len(zeros)):
        measured.update(zeros)
    measured.update(END)
    name = measured.hexdigest()
    recipe = GOOD.but(base=(), claims={"layers": layers_digest([f"sha256:{name}"])})
    config = loads(recipe.config)
    config["rootfs"]["diff_ids"].insert(0, f"sha256:{name}")
    content, claims = to_json(config), recipe.layers[0]
    places = [f"blobs/sha256/{it}" for it in (digest(content), name, digest(claims))]
    described = to_json([{"Config": places[0], "RepoTags": recipe.names, "Layers": places[1:]}])
    with path.open("wb") as file:
        file.write(header(places[1].encode(), LARGE + 3 * 512) + header(b"zeros", LARGE))
        file.seek(LARGE, os.SEEK_CUR)
        file.write(padded(END))
        small = {places[0]: content, places[2]: claims, "manifest.json": described}
        file.writelines(entry(name, content) for name, content in small.items())
        file.write(END)
