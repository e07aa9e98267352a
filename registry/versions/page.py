"""Check of the report of a version: a page of unknown origin may hold no script and load nothing."""

from html.parser import HTMLParser
from pathlib import Path

from paracosm.foundation.errors import RegistryError

ACTIVE = (
    "script",
    "iframe",
    "frame",
    "object",
    "embed",
    "applet",
    "form",
    "base",
    "foreignobject",
    "animate",
    "set",
    "use",
)
"""Elements that run code, send something or load another page."""
LOADING = ("href", "src", "srcset", "action", "data", "poster", "xlink:href", "background", "ping")
STYLES = ("@import", "url(", "expression(")


class _Inert(HTMLParser):
    """Finds the first thing in a page that runs code or loads something."""

    def __init__(self) -> None:
        super().__init__()
        self.fault = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ACTIVE:
            self.fault = self.fault or f"the element <{tag}>"
        for name, value in attrs:
            text = (value or "").strip().lower()
            if name.startswith("on"):
                self.fault = self.fault or f"the handler {name}"
            elif name in LOADING and not text.startswith("#") and text != "data:,":
                self.fault = self.fault or f"an address in {name}"
            elif name == "http-equiv" and text != "content-security-policy":
                self.fault = self.fault or "a redirection"
            elif name == "style" and any(word in text for word in STYLES):
                self.fault = self.fault or "an address in a style"


def check_page(path: Path) -> None:
    """Check that a page runs nothing and loads nothing.

    Raises:
        RegistryError: it does, or it is not UTF-8 text.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RegistryError(f"{path}: is not UTF-8 text") from error
    page = _Inert()
    page.feed(text)
    styles = next((word for word in STYLES if word in text.lower()), None)
    if fault := page.fault or (f"{styles!r} in a style" if styles else ""):
        raise RegistryError(f"{path}: holds {fault}; a report must neither run nor load anything")
