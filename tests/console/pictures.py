"""Small grey pictures of pages: how they are taken, kept and compared (spec/decisions/0113)."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops
from playwright.async_api import Page

FOLDER = Path(__file__).with_name("pictures")
RENEW = "WFX_NEW_PICTURES"
"""The variable with which pictures are written and not compared."""
BLOCK = 10
"""Pixels of a page, across and down, that are one pixel of its picture."""
MOST_GREY = 24
"""By so much of 255 a pixel may differ: letters are drawn in other ways, and ids have other digits."""
MOST_PIXELS = 10
"""So many may differ by more."""


async def take(page: Page, hidden: str) -> Image.Image:
    """Take a picture of what is seen of a page; a selector says what is different each time."""
    content = await page.screenshot(mask=[page.locator(hidden)], mask_color="#808080", animations="disabled")
    return Image.open(BytesIO(content)).convert("L").reduce(BLOCK)


def difference(known: Image.Image, found: Image.Image) -> str:
    """Say where one picture is not as the other; nothing if it is."""
    if known.size != found.size:
        return f"it has {found.size} pixels, not {known.size}"
    differs = ImageChops.difference(known, found).tobytes()
    places = [at for at, grey in enumerate(differs) if grey > MOST_GREY]
    if len(places) <= MOST_PIXELS:
        return ""
    where = ", ".join(f"{at % known.width * BLOCK},{at // known.width * BLOCK}" for at in places[:20])
    return f"{len(places)} places of {BLOCK} pixels differ, at {where}"


def is_renewing() -> bool:
    """Whether pictures are to be written anew."""
    return RENEW in os.environ
