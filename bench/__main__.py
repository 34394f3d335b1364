"""Run the benchmarks: all of them, or the one that is named on the command line or in BENCH."""

import os
import sys
from collections.abc import Callable, Mapping

from bench import archive, beats, deploy, kiosk, pages, upload

BENCHMARKS: Mapping[str, Callable[[], bool]] = {
    "archive": archive.run,
    "beats": beats.run,
    "deploy": deploy.run,
    "kiosk": kiosk.run,
    "pages": pages.run,
    "upload": upload.run,
}
"""By name. Each prints its figures, and says whether all of them meet their goals."""


def main() -> int:
    named = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("BENCH", "")
    if named and named not in BENCHMARKS:
        sys.exit(f"There is no benchmark {named!r}. There are: {', '.join(BENCHMARKS)}.")
    met = [run() for name, run in BENCHMARKS.items() if named in ("", name)]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
