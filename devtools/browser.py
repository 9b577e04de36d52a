"""A real browser for the tests of the report's page: Chromium and its driver, from PATH or Debian's packages."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from devtools import cache
from devtools.console import SetupError
from devtools.debian import install

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_OTHERWISE = "Install Chromium and its chromedriver by other means, and put both on PATH."


@dataclass(frozen=True)
class Browser:
    """The two programs."""

    program: Path
    driver: Path
    """Speaks WebDriver (https://www.w3.org/TR/webdriver2/) over HTTP."""


def ensure() -> Browser:
    """The browser, installed where needed.

    Raises:
        SetupError: there's none, and it can't be installed here.
    """
    with cache.locked("browser"):
        found = _found()
        if found is None:
            install("chromium", "chromium-driver", otherwise=_OTHERWISE)
            found = _found()
    if found is None:
        raise SetupError(f"chromium is installed and yet not on PATH. {_OTHERWISE}")
    return found


def _found() -> Browser | None:
    program = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    return Browser(Path(program), Path(driver)) if program and driver else None
