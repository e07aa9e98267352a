"""A card as HTML that is safe to open, whoever wrote it: no script, no foreign picture, no address but the web's."""

import html
import re
from collections.abc import Mapping

from paracosm.foundation.extras import needed
from paracosm.registry.versions.checks import FRONT_MATTER

TAGS = {
    "a", "blockquote", "br", "code", "details", "em", "h1", "h2", "h3", "h4", "hr", "img", "li", "ol", "p", "pre", "strong",
    "summary", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt"}, "h2": {"id"}, "h3": {"id"}}
PURPOSE = "the pages of a registry"


def rendered_card(card: str, *, pictures: Mapping[str, str]) -> str:
    """Return the Markdown of a card as HTML, without its front matter.

    Args:
        card: front matter and Markdown, of unknown origin.
        pictures: name of each picture of the version -> where it lies, seen from the page. No other picture is shown.

    Raises:
        RegistryError: the extra `page` is absent.
    """
    markdown = needed("markdown_it", extra="page", purpose=PURPOSE)
    nh3 = needed("nh3", extra="page", purpose=PURPOSE)
    # Raw HTML is let through, because cards fold parts of themselves away; the sanitiser then keeps only what TAGS names.
    reader = markdown.MarkdownIt("commonmark", {"html": True}).enable("table")

    def kept(tag: str, attribute: str, value: str) -> str | None:
        if (tag, attribute) == ("img", "src"):
            return pictures.get(value)
        if attribute == "href" and not re.match(r"https?://|#", value):
            return None
        return value

    drawn = reader.render(FRONT_MATTER.sub("", card, count=1))
    drawn = re.sub(r"<(h[23])>(.*?)</\1>", _with_id, drawn)
    clean = nh3.clean(
        drawn,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=kept,
        url_schemes={"http", "https"},
        link_rel="noopener noreferrer",
    )
    # A wide table scrolls by itself, and not the page.
    return clean.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")


def _with_id(heading: re.Match[str]) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"<[^>]+>", "", html.unescape(heading[2])).lower()).strip("-")
    return f'<{heading[1]} id="{words}">{heading[2]}</{heading[1]}>'
