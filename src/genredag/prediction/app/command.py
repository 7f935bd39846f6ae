"""Start the app."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from rich.console import Console

from genredag.errors import ParameterError
from genredag.prediction.app.limits import Limits
from genredag.prediction.app.offer import offered_models
from genredag.prediction.app.server import LOOPBACK, make_server
from genredag.prediction.fetching import Limits as WebLimits
from genredag.prediction.fetching import fetch
from genredag.prediction.tables import count

logger = logging.getLogger(__name__)


def run_app(models: Sequence[Path], host: str, port: int, limits: Limits, allow_local: bool) -> None:
    """Serve the page until interrupted.

    Parameters
    ----------
    models
        Bundles, or folders to look for them in.
    host, port
        Where to listen.
    allow_local
        Whether links may lead to the local network.

    Raises
    ------
    ModelError
        There is no model.
    ParameterError
        The address can't be listened on.
    """
    import uvicorn

    web_limits = WebLimits(limits.upload_bytes / 1e6, limits.receive_seconds, allow_local=allow_local)
    offered = offered_models(models)
    listening = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    hosts = LOOPBACK if shown in LOOPBACK else ("*",)
    server = make_server(offered, partial(fetch, limits=web_limits), limits, hosts=hosts)
    Console(stderr=True).print(
        f"genredag app with {count(len(offered), 'model')}: http://{shown}:{port} (stop with Ctrl-C)"
    )
    config = uvicorn.Config(server, log_level="warning", server_header=False, timeout_graceful_shutdown=5)
    with suppress(KeyboardInterrupt):  # as `uvicorn.run` does
        uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket at an address, before anything says that the app runs there."""
    try:
        (family, *_, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return socket.create_server(address, family=family)
    except OSError as error:
        raise ParameterError(
            f"can't listen there ({error.strerror})",
            where=f"{host}:{port}",
            hint="another app may run there: choose a port with --port, or an address with --host",
        ) from None
