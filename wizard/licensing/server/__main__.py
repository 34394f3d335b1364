"""Run the authorization application.

In a container it is process 1, for which the kernel drops SIGTERM until there is a handler. What it needs takes half a
second to import; whoever stops it in that time would wait for the kill.
"""

import signal
import sys


def main() -> None:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    from wizard.licensing.server.program import run

    run()


if __name__ == "__main__":
    main()
