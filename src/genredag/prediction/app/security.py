"""Headers that confine the page, and the refusal of requests that other pages make."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The style element that wavesurfer.js writes for a waveform of `WAVEFORM_HEIGHT` pixels (static/player.js). A
# test in a browser notices if another version writes another one.
_WAVEFORM_STYLE = "sha256-Txpp2hh5OoXvJGhUxJbFyEnnoWJBIRJRY/mg0M3HqKc="
POLICY = "; ".join(
    [
        "default-src 'self'",
        "media-src 'self' blob:",
        f"style-src 'self' '{_WAVEFORM_STYLE}'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class Confined:
    """An app whose responses carry `HEADERS` and which only its own page can ask for work.

    A browser names the page that a request comes from (``Origin``, ``Sec-Fetch-Site``). Programs such as curl
    don't, and are let through.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_confined(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["method"] not in ("GET", "HEAD") and _from_elsewhere(Headers(scope=scope)):
            error = {"what": "another web page made this request", "expected": "", "hint": ""}
            await JSONResponse({"error": error}, 403)(scope, receive, send_confined)
            return
        await self._app(scope, receive, send_confined)


def _from_elsewhere(headers: Headers) -> bool:
    origin = headers.get("origin")
    same_host = origin is None or urlsplit(origin).netloc == headers.get("host")
    return not same_host or headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
