"""A small WebDriver client (https://www.w3.org/TR/webdriver2/): a page at a width and in a colour scheme."""

import json
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devtools import processes
from devtools.browser import Browser

_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # root can't have one
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_START_SECONDS = 60


class Page:
    """A browser's window."""

    def __init__(self, session: str) -> None:
        self._session = session

    def open(self, file: Path, *, width: int, dark: bool = False) -> None:
        """Shows a file, as a person opens it."""
        self._devtools("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._devtools("Emulation.setEmulatedMedia", features=[scheme])
        for kind in ("browser", "performance"):
            self._log(kind)
        _call(f"{self._session}/url", {"url": file.resolve().as_uri()})

    def run(self, script: str) -> Any:
        """What the script returns."""
        return _call(f"{self._session}/execute/sync", {"script": script, "args": []})

    def complaints(self) -> list[str]:
        """Errors of scripts, and what the content security policy refused, since the page was opened."""
        return [entry["message"] for entry in self._log("browser")]

    def requested(self) -> list[str]:
        """The addresses that were asked for since the page was opened."""
        events = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        return [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]

    def _log(self, kind: str) -> list[dict[str, Any]]:
        return _call(f"{self._session}/se/log", {"type": kind})

    def _devtools(self, command: str, **parameters: Any) -> None:
        _call(f"{self._session}/goog/cdp/execute", {"cmd": command, "params": parameters})


@contextmanager
def browse(browser: Browser) -> Iterator[Page]:
    """A browser of its own, ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="sc-secure-browser-", ignore_cleanup_errors=True) as folder:
        port = processes.free_port()
        log = Path(folder, "driver.log")
        driver = processes.start([browser.driver, f"--port={port}"], log)
        base = f"http://127.0.0.1:{port}"
        try:
            _wait(base, driver, log)
            options = {
                "binary": str(browser.program),
                "args": [*_FLAGS, f"--user-data-dir={folder}/profile"],
            }
            wanted = {
                "browserName": "chrome",
                "goog:chromeOptions": options,
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            }
            made = _call(f"{base}/session", {"capabilities": {"alwaysMatch": wanted}})
            session = f"{base}/session/{made['sessionId']}"
            try:
                yield Page(session)
            finally:
                _call(session, None, method="DELETE")
        finally:
            driver.end(patience=5.0)


def _wait(base: str, driver: processes.Process, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while driver.alive() and time.monotonic() < deadline:
        try:
            if _call(f"{base}/status", None, method="GET")["ready"]:
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.02)
    raise AssertionError(f"chromedriver didn't start: {processes.tail(log)}")


def _call(url: str, body: dict[str, Any] | None, *, method: str = "POST") -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - http on loopback
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=120) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{url}: {error.read().decode()[:1000]}") from None
