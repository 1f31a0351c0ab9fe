# SPDX-License-Identifier: Apache-2.0
"""Make tests/media/data: small drawn images in many formats, and what Pillow sees in them.

Run as `.venv/bin/python tests/media/make_data.py`; the results are committed. cases.txt has one line per
image: file, expected pixels (raw RGB), width, height, and how far we may be from them (mean, most).
HEIC comes from libheif's encoder (libheif1 with x265), opened by ctypes: Pillow has none.
"""

import ctypes
import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

HERE = pathlib.Path(__file__).resolve().parent / "data"
WIDTH, HEIGHT = 37, 23  # odd: the last chroma sample covers half a pair
cases, expected = [], {}


def scene(width, height):
    """A smooth ramp with a few sharp shapes: chroma that changes within a pair of pixels, and flat parts."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    ramp = np.stack([255 * x, 200 * y + 30, 255 * (1 - x) * (1 - y)], axis=2)
    image = Image.fromarray(ramp.round().astype(np.uint8), "RGB")
    draw = ImageDraw.Draw(image)
    draw.ellipse([width * 0.1, height * 0.2, width * 0.4, height * 0.7], fill=(220, 30, 40))
    draw.rectangle([width * 0.55, height * 0.5, width * 0.8, height * 0.9], fill=(20, 60, 230))
    draw.line([width * 0.5, 0, width * 0.95, height * 0.45], fill=(250, 240, 10), width=2)
    return image


def on_white(image):
    if image.mode in ("1", "L", "RGB", "CMYK") and "transparency" not in image.info:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def keep(name, data, mean, most, seen=None):
    """Write one image; what is expected is what Pillow reads, upright and on white, unless `seen` is given."""
    (HERE / name).write_bytes(data)
    if seen is None:
        seen = on_white(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    raw = seen.tobytes()
    file = expected.setdefault(raw, name.replace(".", "_") + ".rgb")
    (HERE / file).write_bytes(raw)
    cases.append(f"{name} {file} {seen.width} {seen.height} {mean} {most}")


def encode(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def orientation(value):
    exif = Image.Exif()
    exif[274] = value
    return exif


def lie_down(image, value):
    """The stored pixels that a viewer turns into `image` when the file says orientation `value`."""
    back = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270}
    return image.transpose(back[value]) if value in back else image


def without_segment(jpeg, marker):
    at = jpeg.index(bytes([0xFF, marker]))
    return jpeg[:at] + jpeg[at + 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]:]


def png16(samples):
    """A 16-bit PNG, which Pillow does not write in colour. samples: (height, width, 1 to 4) of 0 .. 65535."""
    height, width, channels = samples.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) +
            chunk(b"IEND", b""))


class HeifError(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("subcode", ctypes.c_int), ("message", ctypes.c_char_p)]


def heic(image, bits=8):
    """4:2:0 HEIC with libheif's defaults (RGB in; 16-bit interleaved for more than 8 bits)."""
    lib = ctypes.CDLL("libheif.so.1")
    pointer = ctypes.c_void_p

    def call(name, *args):
        function = getattr(lib, name)
        function.restype = HeifError
        got = function(*args)
        if got.code:
            raise RuntimeError(f"{name}: {got.message.decode()}")

    lib.heif_context_alloc.restype = pointer
    lib.heif_image_get_plane.restype = pointer
    context, encoder, picture = pointer(lib.heif_context_alloc()), pointer(), pointer()
    call("heif_context_get_encoder_for_format", context, 1, ctypes.byref(encoder))
    call("heif_encoder_set_lossy_quality", encoder, 92)
    rgb, interleaved = 1, 10 if bits == 8 else 14  # RGB, or RRGGBB little-endian
    width, height = image.size
    call("heif_image_create", width, height, rgb, interleaved, ctypes.byref(picture))
    call("heif_image_add_plane", picture, 10, width, height, bits)
    stride = ctypes.c_int()
    plane = lib.heif_image_get_plane(picture, 10, ctypes.byref(stride))
    pixels = np.asarray(image).astype("<u2" if bits > 8 else "u1")
    if bits > 8:
        pixels = pixels << (bits - 8)
    for y in range(height):
        row = pixels[y].tobytes()
        ctypes.memmove(plane + y * stride.value, row, len(row))
    call("heif_context_encode_image", context, picture, encoder, None, None)
    path = HERE / "encoding.heic"
    call("heif_context_write_to_file", context, str(path).encode())
    data = path.read_bytes()
    path.unlink()
    return data


def jpegs(image):
    keep("420.jpg", encode(image, "JPEG", quality=90, subsampling=2), 0, 0)
    keep("422.jpg", encode(image, "JPEG", quality=90, subsampling=1), 0, 0)
    keep("444.jpg", encode(image, "JPEG", quality=90, subsampling=0), 0, 0)
    keep("progressive.jpg", encode(image, "JPEG", quality=85, progressive=True), 0, 0)
    keep("restart.jpg", encode(image, "JPEG", quality=85, restart_marker_blocks=2), 0, 0)
    keep("rgb.jpg", encode(image, "JPEG", quality=90, keep_rgb=True), 0, 0)
    keep("grey.jpg", encode(image.convert("L"), "JPEG", quality=90), 0, 0)
    cmyk = encode(image.convert("CMYK"), "JPEG", quality=90)
    keep("cmyk.jpg", cmyk, 1.1, 4)
    keep("cmyk_plain.jpg", without_segment(cmyk, 0xEE), 1.1, 4)
    for value in range(1, 9):
        data = encode(lie_down(image, value), "JPEG", quality=90, exif=orientation(value))
        keep(f"turned_{value}.jpg", data, 0, 0)


def pngs(image, clear):
    keep("rgb.png", encode(image, "PNG"), 0, 0)
    keep("rgba.png", encode(clear, "PNG"), 0.1, 1)
    keep("grey.png", encode(image.convert("L"), "PNG"), 0, 0)
    keep("grey_alpha.png", encode(clear.convert("LA"), "PNG"), 0.1, 1)
    keep("one_bit.png", encode(image.convert("1"), "PNG"), 0, 0)
    keep("palette.png", encode(image.quantize(64), "PNG"), 0, 0)
    keep("palette_4.png", encode(image.quantize(16), "PNG", bits=4), 0, 0)
    keep("palette_clear.png", encode(image.quantize(32), "PNG", transparency=3), 0.1, 1)
    keep("keyed.png", encode(image, "PNG", transparency=(220, 30, 40)), 0.1, 1)
    wide = np.asarray(image).astype(np.uint32) * 256 + 200  # the low byte must not count
    keep("rgb_16.png", png16(wide), 0, 0, image)
    grey = image.convert("L")
    keep("grey_16.png", png16(np.asarray(grey).astype(np.uint32)[:, :, None] * 256 + 90), 0, 0, on_white(grey))
    rgba = np.asarray(clear).astype(np.uint32) * 256
    keep("rgba_16.png", png16(rgba), 0.1, 1, on_white(clear))
    keep("turned.png", encode(lie_down(image, 6), "PNG", exif=orientation(6)), 0, 0)


def others(image, clear):
    keep("rgb.bmp", encode(image, "BMP"), 0, 0)
    keep("palette.bmp", encode(image.quantize(64), "BMP"), 0, 0)
    keep("one_bit.bmp", encode(image.convert("1"), "BMP"), 0, 0)
    keep("plain.tif", encode(image, "TIFF"), 0, 0)
    keep("lzw.tif", encode(image, "TIFF", compression="tiff_lzw"), 0, 0)
    keep("deflate.tif", encode(image, "TIFF", compression="tiff_adobe_deflate"), 0, 0)
    keep("grey.tiff", encode(image.convert("L"), "TIFF"), 0, 0)
    keep("rgba.tif", encode(clear, "TIFF"), 0.1, 1)
    keep("one_bit.tif", encode(image.convert("1"), "TIFF"), 0, 0)
    keep("turned.tif", encode(lie_down(image, 8), "TIFF", tiffinfo={274: 8}), 0, 0, image)
    few = image.quantize(64)
    keep("plain.gif", encode(few, "GIF"), 0, 0)
    keep("clear.gif", encode(few, "GIF", transparency=5), 0, 0)
    second = ImageOps.invert(image).quantize(64)
    keep("animated.gif", encode(few, "GIF", save_all=True, append_images=[second]), 0, 0, few.convert("RGB"))
    keep("lossy.webp", encode(image, "WEBP", quality=90), 0.6, 4)
    keep("lossless.webp", encode(image, "WEBP", lossless=True), 0, 0)
    keep("clear.webp", encode(clear, "WEBP", quality=90), 0.6, 4)
    keep("turned.webp", encode(lie_down(image, 5), "WEBP", lossless=True, exif=orientation(5)), 0, 0)
    moving = encode(image, "WEBP", save_all=True, append_images=[ImageOps.invert(image)], quality=50)
    (HERE / "animated.webp").write_bytes(moving)
    keep("420.avif", encode(image, "AVIF", quality=92), 1.0, 20)
    keep("444.avif", encode(image, "AVIF", quality=92, subsampling="4:4:4"), 1.0, 6)
    keep("clear.avif", encode(clear, "AVIF", quality=92, subsampling="4:4:4"), 0.6, 4)
    even = scene(40, 24)  # turned by libheif, whose chroma of odd sides lands half a pair aside
    keep("turned.avif", encode(lie_down(even, 6), "AVIF", quality=92, exif=orientation(6)), 1.0, 20)
    soft = even.filter(ImageFilter.GaussianBlur(5))  # the drawn one is what we compare with
    keep("soft.heic", heic(soft), 2, 8, soft)
    keep("ten_bit.heic", heic(soft, 10), 4, 20, soft)  # chroma repeated by libheif


def resized(image):
    """Pillow's BILINEAR, for one enlargement and one reduction; grown by test_scale.c's reference."""
    (HERE / "small_up.rgb").write_bytes(image.resize((53, 41), Image.Resampling.BILINEAR).tobytes())
    large = scene(120, 90)
    (HERE / "large.png").write_bytes(encode(large, "PNG"))
    (HERE / "large_down.rgb").write_bytes(large.resize((32, 21), Image.Resampling.BILINEAR).tobytes())


def main():
    HERE.mkdir(exist_ok=True)
    for old in HERE.iterdir():
        old.unlink()
    image = scene(WIDTH, HEIGHT)
    alpha = Image.fromarray(np.linspace(0, 255, WIDTH * HEIGHT).astype(np.uint8).reshape(HEIGHT, WIDTH), "L")
    clear = image.copy()
    clear.putalpha(alpha)
    jpegs(image)
    pngs(image, clear)
    others(image, clear)
    resized(image)
    (HERE / "cases.txt").write_text("\n".join(cases) + "\n")


main()
