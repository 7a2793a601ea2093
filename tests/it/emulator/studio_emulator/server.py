"""Starts the server: `python -m studio_emulator.server --port N`. `start.py` does it for you.

**Invariant:** it listens on 127.0.0.1 and nowhere else.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import signal
import sys
import threading
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from . import services  # noqa: F401  (importing it registers the handlers)
from .middleware import Application


class QuietHandler(MotoRequestHandler):
    """Answers without a log line for each request, and without waiting to fill a packet."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Headers and body leave in one packet.
    wbufsize = -1

    def finish(self) -> None:
        """Closes the connection; one that is closed already is no news."""
        with contextlib.suppress(OSError):
            super().finish()

    def log(self, type: str, message: str, *args: Any) -> None:
        """Requests are recorded; only what goes wrong is worth a line."""
        if type == "error":
            sys.stderr.write("emulator: " + (message % args if args else message) + "\n")


def main() -> None:
    """Serves until a signal, or, if asked for, until standard input closes."""
    parser = argparse.ArgumentParser(description="Serve the AWS emulator.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--exit-with-parent", action="store_true")
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    if options.exit_with_parent:
        threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        server = make_server("127.0.0.1", options.port, Application(), threaded=True, request_handler=QuietHandler)
    except (OSError, SystemExit) as error:
        sys.exit(f"emulator: error: cannot listen on 127.0.0.1:{options.port}: {error}")
    url = f"http://127.0.0.1:{server.server_port}"
    # The socket listens already: a request that comes now waits until it is served.
    print(json.dumps({"url": url, "pid": os.getpid()}), flush=True)
    server.serve_forever()


def _end_with_input() -> None:
    while os.read(0, 65536):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
