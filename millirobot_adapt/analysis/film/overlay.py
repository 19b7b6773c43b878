"""Write over a picture: captions, what the colours mean, and a map of the whole path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from millirobot_adapt.analysis.figure_style import INK, LIGHT, STOP
from millirobot_adapt.core.robot.state import FloatArray

MARGIN = 0.022
"""Of the captions, as part of the height."""
MAP = 0.3
"""Height of the map, as part of the picture's."""
BACKGROUND = (255, 255, 255, 205)


@dataclass(frozen=True)
class Caption:
    """What stands over one picture."""

    title: str
    time: str
    event: str
    """What has just begun; empty: nothing."""
    stopped: bool
    """The event is a stop."""


class Overlay:
    """Writes over pictures of one size."""

    def __init__(self, width: int, height: int, wanted: FloatArray | None, walked: FloatArray) -> None:
        """Lay out the map.

        Args:
            width: Of the pictures [pixels].
            height: Of the pictures [pixels].
            wanted: The path wanted, x, y [m], shape (N, 2), where there is one.
            walked: The whole way walked, shape (M, 2).
        """
        self._size = (width, height)
        self._margin = max(4, round(MARGIN * height))
        folder = Path(mpl.get_data_path()) / 'fonts' / 'ttf'
        self._font = ImageFont.truetype(str(folder / 'DejaVuSans.ttf'), max(9, round(0.036 * height)))
        self._bold = ImageFont.truetype(str(folder / 'DejaVuSans-Bold.ttf'), max(10, round(0.044 * height)))
        self._wanted = wanted
        points = walked if wanted is None else np.vstack([walked, wanted])
        self._low, self._high = points.min(axis=0) - 0.1, points.max(axis=0) + 0.1
        wide, tall = self._high - self._low
        self._scale = min(MAP * height / tall, 0.3 * width / wide)
        self._map = (round(wide * self._scale), round(tall * self._scale))

    def draw(
        self, picture: np.ndarray, caption: Caption, walked: FloatArray, legend: Sequence[tuple[str, str]]
    ) -> np.ndarray:
        """Return the picture with its captions.

        Args:
            picture: uint8, shape (height, width, 3).
            caption: The texts.
            walked: The way until now, shape (N, 2).
            legend: Name and colour of each line on the floor.
        """
        image = Image.fromarray(picture)
        draw = ImageDraw.Draw(image, 'RGBA')
        margin, (width, height) = self._margin, self._size
        self._text(draw, (margin, margin), caption.title, self._bold, INK)
        self._text(draw, (margin, margin + round(1.6 * self._bold.size)), caption.time, self._font, INK)
        self._draw_legend(draw, legend)
        self._draw_map(draw, walked)
        if caption.event:
            box = self._bold.getbbox(caption.event)
            place = ((width - box[2]) // 2, height - margin - 4 * self._font.size)
            self._text(draw, place, caption.event, self._bold, STOP if caption.stopped else INK)
        return np.asarray(image)

    def _text(
        self,
        draw: ImageDraw.ImageDraw,
        place: tuple[float, float],
        text: str,
        font: ImageFont.FreeTypeFont,
        colour: str,
    ) -> int:
        """Write on a light ground; return where the ground ends [pixels]."""
        left, top, right, bottom = draw.textbbox(place, text, font=font)
        pad = self._margin // 2
        draw.rectangle((left - pad, top - pad, right + pad, bottom + pad), fill=BACKGROUND)
        draw.text(place, text, font=font, fill=colour)
        return int(right) + pad

    def _draw_legend(self, draw: ImageDraw.ImageDraw, legend: Sequence[tuple[str, str]]) -> None:
        x, y = self._margin, self._size[1] - self._margin - round(1.2 * self._font.size)
        for name, colour in legend:
            x = self._text(draw, (x, y), name, self._font, colour) + self._margin

    def _draw_map(self, draw: ImageDraw.ImageDraw, walked: FloatArray) -> None:
        wide, tall = self._map
        left, top = self._size[0] - self._margin - wide, self._margin
        draw.rectangle((left, top, left + wide, top + tall), fill=BACKGROUND)

        def place(points: FloatArray) -> list[tuple[float, float]]:
            seen = (points - self._low) * self._scale
            return [(left + x, top + tall - y) for x, y in seen]

        thin = max(1, self._size[1] // 240)
        if self._wanted is not None:
            draw.line(place(self._wanted), fill=LIGHT, width=3 * thin, joint='curve')
        if len(walked) > 1:
            draw.line(place(walked), fill=INK, width=thin)
        if len(walked):
            (x, y), radius = place(walked[-1:])[0], 2 * thin + 1
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=INK)
