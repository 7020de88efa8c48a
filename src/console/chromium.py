"""Which Chromium the console is tested and photographed in, and how it is started."""

import shutil

#: As Debian, Ubuntu and Google name it. The first has no window to draw: a third of the processor time for a page.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ADVICE = f"no Chromium on PATH ({', '.join(NAMES)}): on Debian, apt-get install chromium-headless-shell"
#: Nothing of its own goes over the network; a container has neither a GPU nor the privileges of the sandbox.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def path() -> str | None:
    """Return where Chromium is, None if there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)
