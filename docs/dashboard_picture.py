"""Take docs/img/dashboard.png: the page "Try it" over what ``make demo`` made.

python docs/dashboard_picture.py demo/engine demo/data; needs chromium.
"""

from __future__ import annotations

import shutil
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import uvicorn
from playwright.sync_api import sync_playwright

from warmstart.data.dataset import Dataset
from warmstart.serve.app import create_app
from warmstart.serve.settings import Settings
from warmstart.store.store import Store

TARGET = Path(__file__).parent / "img" / "dashboard.png"
FIRST = "/dashboard/try?text=slow+science+fiction+with+a+woman+in+the+lead"
SIZE = {"width": 1280, "height": 900}


def main(engine: Path, data: Path) -> None:
    """Serve, look, keep the picture."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as place:
        settings = Settings(engine=engine, database_url=f"sqlite:///{folder}/store.db", rate_limit=0)
        with Store.open(settings.database) as store:
            store.seed(Dataset.load(data))
        server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="error"))
        thread = threading.Thread(target=server.run, args=([place],))
        thread.start()
        while not server.started:
            time.sleep(0.1)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport=SIZE)
            here = f"http://127.0.0.1:{place.getsockname()[1]}"
            for first in ("/dashboard/try?click=1&text=warm", "/dashboard/try?click=2&text=warmer", FIRST):
                page.goto(here + first)  # the first answers of a process take longer
            page.locator(".ranking a").first.click()
            page.wait_for_selector(".chips li")
            page.mouse.move(0, 0)
            page.screenshot(path=TARGET)
            browser.close()
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
