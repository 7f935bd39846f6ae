"""Headless Chromium for tests, controlled through its debugging pipe."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from importlib.resources import files
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PHONE = {"width": 390, "height": 844, "mobile": True}
DESKTOP = {"width": 1280, "height": 900, "mobile": False}
_CODES = {
    "Tab": 9,
    "Enter": 13,
    " ": 32,
    "End": 35,
    "Home": 36,
    "ArrowLeft": 37,
    "ArrowRight": 39,
    "ArrowDown": 40,
}
_TEXTS = {"Enter": "\r", " ": " "}


class Browser:
    """Chromium; `events` are those received since the page was opened."""

    def __init__(self, profile: Path, *more_flags: str) -> None:
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        flags += ["--no-first-run", "--remote-debugging-pipe", f"--user-data-dir={profile}", *more_flags]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{to_write}', "bash", CHROMIUM, *flags],
            pass_fds=(to_read, to_write),
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._buffer, self._number, self.events = b"", 0, []
        self._session = {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params):
        self._number += 1
        message = {"id": self._number, "method": method, "params": params, **self._session}
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _receive(self) -> dict:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], 60)
            assert ready, "Chromium is silent"
            self._buffer += os.read(self._from, 1 << 20)
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def open(self, page: Path | str, screen: dict, scheme: str) -> None:
        """Open a file or an address."""
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", deviceScaleFactor=1, **screen)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[feature])
        self.call("Page.navigate", url=page.as_uri() if isinstance(page, Path) else page)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def ask(self, expression: str):
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = self.call("Runtime.evaluate", **asked)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, condition: str, seconds: float = 30):
        """Wait until an expression is true, and return its value."""
        give_up = time.monotonic() + seconds
        while not (value := self.ask(condition)):
            assert time.monotonic() < give_up, f"still false: {condition}"
            time.sleep(0.05)
        return value

    def press(self, key: str, modifiers: int = 0) -> None:
        code = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": _CODES[key]}
        about = {**code, "modifiers": modifiers}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=_TEXTS.get(key, ""), **about)
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def click(self, x: float, y: float) -> None:
        """Click at a place of the window, in pixels."""
        about = {"x": x, "y": y, "button": "left", "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type="mousePressed", **about)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", **about)

    def choose_file(self, selector: str, path: Path) -> None:
        """Choose a file in a file input."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def picture(self, path: Path) -> None:
        """Write a picture of the whole page."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def axe(self) -> list[tuple[str, str, str]]:
        """Return what axe-core objects to: rule, impact, the first element."""
        self.ask(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
        found = self.ask("axe.run({resultTypes: ['violations']}).then(result => result.violations)")
        return [(fault["id"], fault["impact"], fault["nodes"][0]["html"]) for fault in found]

    def told(self, method: str) -> list[dict]:
        return [event["params"] for event in self.events if event["method"] == method]

    def requests(self) -> list[str]:
        """Return the addresses asked for, without data: addresses."""
        asked = [event["request"]["url"] for event in self.told("Network.requestWillBeSent")]
        return [url for url in asked if not url.startswith("data:")]

    def messages(self) -> list:
        """Return messages of the console, uncaught exceptions and log entries."""
        console = self.told("Runtime.consoleAPICalled") + self.told("Runtime.exceptionThrown")
        return [*console, *(event["entry"] for event in self.told("Log.entryAdded"))]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._to)
        os.close(self._from)
