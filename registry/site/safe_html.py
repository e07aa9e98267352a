"""Converts the Markdown of a card of unknown origin to safe HTML: no scripts, no external images, only web links."""

import html
import re
from collections.abc import Mapping

from paracosm.foundation.extras import require_extra
from paracosm.registry.versions.checks import FRONT_MATTER

TAGS = {
    "a", "blockquote", "br", "code", "details", "em", "h1", "h2", "h3", "h4", "hr", "img", "li", "ol", "p", "pre", "strong",
    "summary", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt"}, "h2": {"id"}, "h3": {"id"}}
EXTRA = ("page", "the site of a registry")
"""Extra that installs the libraries, and what needs it."""


def rendered_card(card: str, *, pictures: Mapping[str, str]) -> str:
    """Return a card as sanitised HTML, without its front matter.

    Args:
        card: front matter and Markdown, of unknown origin.
        pictures: URL relative to the page of every picture of the version, by its name. No other picture is shown.

    Raises:
        MissingExtraError: the extra `page` is not installed.
    """
    markdown = require_extra("markdown_it", *EXTRA)
    nh3 = require_extra("nh3", *EXTRA)
    # Raw HTML is allowed here, because cards use <details>; the sanitiser below removes every tag that is not in TAGS.
    parser = markdown.MarkdownIt("commonmark", {"html": True}).enable("table")

    def filtered(tag: str, attribute: str, value: str) -> str | None:
        if (tag, attribute) == ("img", "src"):
            return pictures.get(value)
        if attribute == "href" and not re.match(r"https?://|#", value):
            return None
        return value

    html_text = parser.render(FRONT_MATTER.sub("", card, count=1))
    html_text = re.sub(r"<(h[23])>(.*?)</\1>", _with_id, html_text)
    clean = nh3.clean(
        html_text,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=filtered,
        url_schemes={"http", "https"},
        link_rel="noopener noreferrer",
    )
    # A wide table gets its own scroll bar, so that the page keeps its width.
    return clean.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")


def _with_id(heading: re.Match[str]) -> str:
    anchor = re.sub(r"[^a-z0-9]+", "-", re.sub(r"<[^>]+>", "", html.unescape(heading[2])).lower()).strip("-")
    return f'<{heading[1]} id="{anchor}">{heading[2]}</{heading[1]}>'
