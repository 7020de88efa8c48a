"""The page itself and what it loads: files of this package, sent so that a browser runs nothing else."""

from pathlib import Path

from starlette.responses import Response

_FOLDER = Path(__file__).with_name("assets")
_MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

#: Nothing inline, nothing from elsewhere, no frames, and no text is ever taken for markup or script.
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def page(name: str) -> Response | None:
    """Return one file, the page itself for ''; None for anything that is not one of them."""
    files = {file.relative_to(_FOLDER).as_posix(): file for file in _FOLDER.rglob("*") if file.suffix in _MEDIA_TYPES}
    file = files.get(name or "index.html")
    if file is None:
        return None
    return Response(file.read_bytes(), media_type=_MEDIA_TYPES[file.suffix])
