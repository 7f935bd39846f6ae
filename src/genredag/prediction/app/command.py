"""Start the app."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from genredag.prediction.app.limits import Limits
from genredag.prediction.app.offer import offered_models
from genredag.prediction.app.server import LOOPBACK, make_server
from genredag.prediction.fetching import Limits as WebLimits
from genredag.prediction.fetching import fetch

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
    """
    import uvicorn

    web_limits = WebLimits(limits.upload_bytes / 1e6, limits.receive_seconds, allow_local=allow_local)
    offered = offered_models(models)
    shown = f"[{host}]" if ":" in host else host
    hosts = LOOPBACK if shown in LOOPBACK else ("*",)
    server = make_server(offered, partial(fetch, limits=web_limits), limits, hosts=hosts)
    Console(stderr=True).print(
        f"genredag app with {len(offered)} models: http://{shown}:{port} (stop with Ctrl+C)"
    )
    uvicorn.run(
        server, host=host, port=port, log_level="warning", server_header=False, timeout_graceful_shutdown=5
    )
