"""Small grey pictures of pages: how they are taken, kept and compared (spec/decisions/0113)."""

from __future__ import annotations

import base64
import os
import struct
import zlib
from pathlib import Path

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
_REDUCE = """async ([picture, block]) => {
    const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d", {willReadFrequently: true});
    context.drawImage(bitmap, 0, 0);
    const {data, width, height} = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const across = Math.floor(width / block), down = Math.floor(height / block);
    const sums = new Array(across * down).fill(0);
    for (let y = 0; y < down * block; y += 1) for (let x = 0; x < across * block; x += 1) {
        const at = 4 * (y * width + x);
        sums[Math.floor(y / block) * across + Math.floor(x / block)] += data[at] + data[at + 1] + data[at + 2];
    }
    return [across, ...sums.map((sum) => Math.round(sum / (3 * block * block)))];
}"""


class Picture:
    """Grey pixels, row by row."""

    def __init__(self, width: int, pixels: bytes) -> None:
        """Take what was measured or read."""
        self.width = width
        self.pixels = pixels

    def differs(self, other: Picture) -> str:
        """Say where another picture is not as this one; nothing if it is."""
        if (self.width, len(self.pixels)) != (other.width, len(other.pixels)):
            return f"{self.width} pixels across of {len(self.pixels)}, not {other.width} of {len(other.pixels)}"
        pairs = zip(self.pixels, other.pixels, strict=True)
        places = [at for at, (one, two) in enumerate(pairs) if abs(one - two) > MOST_GREY]
        if len(places) <= MOST_PIXELS:
            return ""
        where = ", ".join(f"{at % self.width * BLOCK},{at // self.width * BLOCK}" for at in places[:20])
        return f"{len(places)} places of {BLOCK} pixels differ, at {where}"

    def save(self, file: Path) -> None:
        """Write it as PNG."""
        rows = [self.pixels[at : at + self.width] for at in range(0, len(self.pixels), self.width)]
        header = struct.pack(">IIBBBBB", self.width, len(rows), 8, 0, 0, 0, 0)
        content = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
        chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", content), _chunk(b"IEND", b""))
        file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))

    @classmethod
    def read(cls, file: Path) -> Picture:
        """Read one that was written."""
        content = file.read_bytes()
        width, height = struct.unpack_from(">II", content, 16)
        length = struct.unpack_from(">I", content, 33)[0]
        raw = zlib.decompress(content[41 : 41 + length])
        return cls(width, b"".join(raw[row * (width + 1) + 1 : (row + 1) * (width + 1)] for row in range(height)))


def _chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG file."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


async def take(page: Page, desk: Page, hidden: str) -> Picture:
    """Take a picture of what is seen of a page; a selector says what is different each time."""
    content = await page.screenshot(mask=[page.locator(hidden)], mask_color="#808080", animations="disabled")
    width, *pixels = await desk.evaluate(_REDUCE, [base64.b64encode(content).decode(), BLOCK])
    return Picture(width, bytes(pixels))


def is_renewing() -> bool:
    """Whether pictures are to be written anew."""
    return RENEW in os.environ
