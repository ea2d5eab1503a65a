"""A picture as it is kept: upright, no larger than it is shown, and nothing else."""

import io

from PIL import Image, ImageOps

# Pixels: enough for a large screen at double density.
LONGEST_SIDE = 2880


def without_notes(
    data: bytes, *, longest: int = LONGEST_SIDE, holes: bool = True
) -> tuple[bytes, str]:
    """A picture upright, as its pixels alone, and the ending of its name: "png" or "jpg".

    A camera notes where, when and with whose machine it was taken (EXIF, XMP): that is not kept.
    What can be seen through stays so in a PNG; without `holes` it becomes white in a JPEG.
    Whoever calls has seen to it that it is a picture of a bearable size.
    """
    with Image.open(io.BytesIO(data)) as opened:
        # A JPEG is unpacked no larger than it is wanted: a quarter of the time and the memory.
        opened.draft(None, (longest, longest))
        upright = ImageOps.exif_transpose(opened)
    upright.thumbnail((longest, longest))
    has_holes = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    pixels = upright.convert("RGBA" if has_holes else "RGB")
    # A new picture: it has no place for notes to have come along in.
    bare = Image.frombytes(pixels.mode, pixels.size, pixels.tobytes())
    out = io.BytesIO()
    if has_holes and holes:
        bare.save(out, "PNG", optimize=True)
        return out.getvalue(), "png"
    if has_holes:
        seen, bare = bare, Image.new("RGB", bare.size, "white")
        bare.paste(seen, mask=seen)
    bare.save(out, "JPEG", quality=92)
    return out.getvalue(), "jpg"
