"""A real browser for pages that people open: headless Chromium, cut off from every network."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

INSTALL = "install Debian's chromium package"


def chromium() -> Iterator[Any]:
    """The browser, as the body of a fixture; skips and says why where playwright or Chromium is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: install the dev extras")
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip(f"no Chromium on PATH: {INSTALL}")
    # Chromium refuses its sandbox to root, as in a container.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        browser.close()


class Visit:
    """One visit to a page from file://: what it asked the network for, said on the console, and opened as dialogs."""

    def __init__(self, browser: Any, **settings: Any):
        self.context = browser.new_context(offline=True, locale="en-US", **settings)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.said: list[str] = []
        self.dialogs: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", self._dismissed)

    def open(self, path: Path) -> Any:
        """Opens the file, every other request refused, and gives playwright's page."""
        address = path.as_uri()
        self.page.route("**/*", lambda route: route.continue_() if route.request.url == address else route.abort())
        self.page.goto(address)
        return self.page

    def _dismissed(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()
