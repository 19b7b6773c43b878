"""Write pictures as a film: mp4 (H.264) with the ffmpeg of imageio-ffmpeg, gif with Pillow."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor

from millirobot_adapt.analysis.figure_style import BLUE, GREEN, GREY, INK, ORANGE, STOP
from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import put_in_place

KINDS = ('.mp4', '.gif')
COLOURS = 120
"""Of a gif: number of the most frequent colours in a few of the pictures, besides those of lines and texts."""


def check_kind(path: Path) -> None:
    """Check that we can write a film of this name.

    Raises:
        UserError: it ends in something else, exists already, or its folder does not exist.
    """
    if path.suffix.lower() not in KINDS:
        raise UserError(f'{path}: a film ends in {" or ".join(KINDS)}')
    if not path.parent.is_dir():
        raise UserError(f'{path}: there is no folder {path.parent}; make it, or choose another --out')


def write_film(path: Path, pictures: Iterable[np.ndarray], fps: float) -> int:
    """Write a film and return how many pictures it has; what stood there before is replaced when the film is whole.

    Args:
        path: Its name ends in `.mp4` or `.gif`.
        pictures: uint8, each of shape (height, width, 3), even numbers both.
        fps: Pictures a second.

    Raises:
        UserError: the file cannot be written.
    """
    scratch = path.with_name(f'.unfinished_{path.name}')
    try:
        count = (_write_gif if path.suffix.lower() == '.gif' else _write_mp4)(scratch, pictures, fps)
        put_in_place(scratch, path)
    except OSError as error:
        raise UserError(f'{path}: cannot be written ({error.strerror or error}); choose another --out') from None
    finally:
        scratch.unlink(missing_ok=True)
    return count


def _write_mp4(path: Path, pictures: Iterable[np.ndarray], fps: float) -> int:
    from imageio_ffmpeg import write_frames

    writer, count = None, 0
    try:
        for picture in pictures:
            if writer is None:
                height, width = picture.shape[:2]
                writer = write_frames(
                    str(path), (width, height), fps=fps, codec='libx264', pix_fmt_out='yuv420p', macro_block_size=2,
                    output_params=['-crf', '20', '-preset', 'veryfast', '-movflags', '+faststart'],
                )  # fmt: skip
                writer.send(None)
            writer.send(np.ascontiguousarray(picture))
            count += 1
    finally:
        if writer is not None:
            writer.close()
    return count


def _write_gif(path: Path, pictures: Iterable[np.ndarray], fps: float) -> int:
    images = [Image.fromarray(picture) for picture in pictures]
    # One palette for all: colours do not flicker, and what does not change costs nothing.
    some = images[:: max(1, len(images) // 6)]
    sheet = Image.new('RGB', (some[0].width, some[0].height * len(some)))
    for row, image in enumerate(some):
        sheet.paste(image, (0, row * image.height))
    frequent = sheet.quantize(COLOURS, method=Image.Quantize.MEDIANCUT).getpalette() or []
    lines = [channel for colour in (BLUE, ORANGE, GREEN, INK, GREY, STOP) for channel in ImageColor.getrgb(colour)]
    palette = Image.new('P', (1, 1))
    palette.putpalette([*frequent[: 3 * COLOURS], *lines])
    frames = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    frames[0].save(
        path, format='GIF', save_all=True, append_images=frames[1:], duration=round(1000 / fps), loop=0, optimize=True
    )
    return len(frames)
