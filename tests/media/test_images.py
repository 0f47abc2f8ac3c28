"""Decoding: every format, every way a file can be broken."""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import Square, draw
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as pillow
from PIL.PngImagePlugin import PngInfo

from gallery.errors import DamagedCrop, InputError
from gallery.media.images import (
    BACKGROUND,
    FileState,
    decode,
    decode_png,
    digest_of,
    encode_png,
    file_state,
    read_bytes,
    read_header,
    read_image,
    suffixes,
)
from gallery.types import Pixels

PICTURE = draw(Square(30, 20, 60), width=120, height=90)


def saved(picture: pillow.Image, kind: str, **options: object) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def pixels_of(content: bytes) -> Pixels:
    image = decode(content, Path("picture"))
    assert image.pixels.dtype == np.uint8
    assert image.pixels.shape == (image.height, image.width, 3)
    return image.pixels


def pixels_or_refusal(content: bytes) -> tuple[Pixels | None, str]:
    """The decoded pixels, or None and what an InputError says; any other error is a failure."""
    try:
        return pixels_of(content), ""
    except InputError as error:
        return None, str(error)


def chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content)) + name + content
        + struct.pack(">I", zlib.crc32(name + content))
    )  # fmt: skip


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG written by hand; rows begin with a filter byte."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
        + b"".join(extra)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


LOSSLESS: dict[str, Callable[[pillow.Image], bytes]] = {
    "PNG": lambda picture: saved(picture, "PNG"),
    "BMP": lambda picture: saved(picture, "BMP"),
    "WebP": lambda picture: saved(picture, "WEBP", lossless=True),
    "AVIF": lambda picture: saved(picture, "AVIF", quality=100, subsampling="4:4:4"),
    "JPEG": lambda picture: saved(picture, "JPEG", quality=100, subsampling=0),
    "progressive JPEG": lambda picture: saved(picture, "JPEG", quality=100, progressive=True),
    "GIF": lambda picture: saved(picture, "GIF"),
}


@pytest.mark.parametrize("kind", LOSSLESS)
def test_every_format_gives_the_picture(kind: str) -> None:
    found = pixels_of(LOSSLESS[kind](pillow.fromarray(PICTURE)))
    assert found.shape == PICTURE.shape
    assert np.abs(found.astype(int) - PICTURE).mean() < 6


@pytest.mark.parametrize("kind", LOSSLESS)
@settings(max_examples=25)
@given(share=st.floats(0, 0.9999))
def test_a_file_cut_anywhere_is_refused_or_gives_the_whole_picture(kind: str, share: float) -> None:
    content = LOSSLESS[kind](pillow.fromarray(PICTURE))
    cut = content[: int(len(content) * share)]
    found, refusal = pixels_or_refusal(cut)
    if found is None:
        assert refusal.startswith("picture ")
        assert "\n" not in refusal
    else:
        assert np.array_equal(found, pixels_of(content))


@pytest.mark.parametrize("kind", LOSSLESS)
@settings(max_examples=40)
@given(place=st.floats(0, 0.9999), value=st.integers(0, 255))
def test_a_file_with_a_changed_byte_never_raises_anything_but_an_input_error(
    kind: str, place: float, value: int
) -> None:
    content = bytearray(LOSSLESS[kind](pillow.fromarray(PICTURE)))
    content[int(len(content) * place)] = value
    _, refusal = pixels_or_refusal(bytes(content))
    assert "\n" not in refusal


@given(content=st.binary(max_size=400))
def test_any_bytes_at_all_are_an_input_error(content: bytes) -> None:
    for begin in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"RIFF"):
        with pytest.raises(InputError):
            pixels_of(begin + content)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
def test_a_picture_stands_upright_whatever_its_exif_orientation(
    orientation: int, kind: str
) -> None:
    turned = {
        1: PICTURE,
        2: PICTURE[:, ::-1],
        3: PICTURE[::-1, ::-1],
        4: PICTURE[::-1],
        5: PICTURE.transpose(1, 0, 2),
        6: np.rot90(PICTURE, 1),
        7: PICTURE[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(PICTURE, -1),
    }[orientation]
    exif = pillow.Exif()
    exif[0x0112] = orientation
    picture = pillow.fromarray(np.ascontiguousarray(turned))
    found = pixels_of(saved(picture, kind, exif=exif.tobytes(), quality=95))
    assert found.shape == PICTURE.shape
    assert np.abs(found.astype(int) - PICTURE).mean() < 8


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0",
        b"Exif\0\0garbage that is no TIFF header at all",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(8),
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x63\0\0\0",
        b"Exif\0\0MM\0*\xff\xff\xff\xff",
    ],
)
def test_a_picture_with_a_damaged_exif_block_is_still_a_picture(exif: bytes) -> None:
    content = saved(pillow.fromarray(PICTURE), "JPEG", quality=95, exif=exif)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pixels_of(content).shape == PICTURE.shape


def test_transparency_shows_the_background() -> None:
    layer = np.dstack([PICTURE, np.full(PICTURE.shape[:2], 255, np.uint8)])
    layer[:, :40, 3] = 0
    layer[:, 40:60, 3] = 128
    found = pixels_of(saved(pillow.fromarray(layer), "PNG"))
    assert (found[:, :40] == BACKGROUND).all()
    assert np.array_equal(found[:, 60:], PICTURE[:, 60:])
    half = (PICTURE[:, 40:60].astype(int) + 255) // 2
    assert np.abs(found[:, 40:60].astype(int) - half).max() <= 2


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_transparent_colour_of_a_palette_shows_the_background(kind: str) -> None:
    indexed = pillow.fromarray(np.repeat([[0, 1]], 4, axis=0).astype(np.uint8)).convert("P")
    indexed.putpalette([10, 20, 30, 200, 100, 50])
    found = pixels_of(saved(indexed, kind, transparency=0))
    assert found[0].tolist() == [list(BACKGROUND), [200, 100, 50]]


def test_a_palette_with_levels_of_transparency_is_blended() -> None:
    indexed = pillow.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    indexed.putpalette([0, 0, 0, 0, 0, 0])
    found = pixels_of(saved(indexed, "PNG", transparency=bytes([255, 51])))
    assert found[0, 0].tolist() == [0, 0, 0]
    assert abs(int(found[0, 1, 0]) - 204) <= 1


def test_a_transparent_grey_and_a_transparent_colour_show_the_background() -> None:
    grey = png(2, 1, 8, 0, b"\0\x05\x80", chunk(b"tRNS", b"\0\x05"))
    assert pixels_of(grey)[0].tolist() == [list(BACKGROUND), [128] * 3]
    colour = png(2, 1, 8, 2, b"\0\x01\x02\x03\x04\x05\x06", chunk(b"tRNS", b"\0\x01\0\x02\0\x03"))
    assert pixels_of(colour)[0].tolist() == [list(BACKGROUND), [4, 5, 6]]


@pytest.mark.parametrize("values", [[0, 65535], [0, 32768], [0, 200], [256, 65535]])
def test_sixteen_bit_grey_is_scaled_however_dark_it_is(values: list[int]) -> None:
    found = pixels_of(png(2, 1, 16, 0, b"\0" + struct.pack(">2H", *values)))
    for pixel, value in zip(found[0].tolist(), values, strict=True):
        assert pixel[0] == pixel[1] == pixel[2]
        assert abs(pixel[0] - value / 257) <= 1


def test_sixteen_bit_colours_and_grey_with_alpha_are_scaled() -> None:
    colours = png(1, 1, 16, 2, b"\0" + struct.pack(">3H", 65535, 32896, 0))
    assert pixels_of(colours)[0, 0].tolist() == [255, 128, 0]
    grey = png(2, 1, 16, 4, b"\0" + struct.pack(">4H", 32896, 65535, 0, 0))
    assert pixels_of(grey)[0].tolist() == [[128] * 3, list(BACKGROUND)]


def test_grey_with_alpha_and_one_bit_pictures_are_decoded() -> None:
    grey = png(2, 1, 8, 4, b"\0\x40\xff\x00\x00")
    assert pixels_of(grey)[0].tolist() == [[64] * 3, list(BACKGROUND)]
    one_bit = png(2, 1, 1, 0, b"\0\x40")
    assert pixels_of(one_bit)[0].tolist() == [[0] * 3, [255] * 3]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_a_moving_picture_the_first_frame_is_taken(kind: str) -> None:
    first = pillow.fromarray(PICTURE)
    other = pillow.new("RGB", first.size, (0, 0, 255))
    content = saved(
        first, kind, save_all=True, append_images=[other, other], duration=100, lossless=True
    )
    assert np.abs(pixels_of(content).astype(int) - PICTURE).mean() < 6


def test_a_gif_whose_first_frame_covers_a_part_shows_the_background_beside_it() -> None:
    content = bytearray(saved(pillow.new("RGB", (8, 8), (200, 10, 10)), "GIF"))
    # The logical screen's width, in the header: the frame covers its left half.
    content[6:8] = struct.pack("<H", 16)
    found = pixels_of(bytes(content))
    assert found.shape == (8, 16, 3)
    assert found[4, 4].tolist() == [200, 10, 10]


def test_a_cmyk_jpeg_has_the_colours_that_it_had() -> None:
    red = pillow.new("RGB", (16, 16), (250, 20, 20)).convert("CMYK")
    found = pixels_of(saved(red, "JPEG", quality=95))
    assert np.abs(found[8, 8].astype(int) - (250, 20, 20)).max() < 12


@pytest.mark.skipif(
    importlib.util.find_spec("pillow_heif") is None, reason="pillow-heif is not installed"
)
def test_a_heic_picture_is_decoded() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    content = saved(pillow.fromarray(PICTURE), "HEIF", quality=95)
    assert np.abs(pixels_of(content).astype(int) - PICTURE).mean() < 8


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (9_500, 9_000), (2**31 - 1, 1)])
def test_a_picture_that_unfolds_to_too_much_is_refused_unopened(width: int, height: int) -> None:
    bomb = png(width, height, 1, 0, bytes(100))
    with pytest.raises(InputError, match="megapixels"):
        pixels_of(bomb)


def test_a_text_chunk_that_unfolds_to_much_is_not_unfolded() -> None:
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000)))
    assert pixels_of(png(1, 1, 8, 0, b"\0\0", text)).tolist() == [[[0, 0, 0]]]


def test_a_long_thin_picture_is_decoded() -> None:
    assert pixels_of(png(1, 40_000, 8, 0, bytes(80_000))).shape == (40_000, 1, 3)


def test_decoding_leaves_the_warnings_of_others_as_they_are() -> None:
    before = warnings.filters[:]
    pixels_of(saved(pillow.fromarray(PICTURE), "PNG"))
    assert warnings.filters == before


def test_files_of_other_formats_are_refused_with_those_that_are_read(tmp_path: Path) -> None:
    for name, content in {
        "text.png": b"This is text.",
        "page.jpg": b"<html></html>",
        "icon.png": saved(pillow.fromarray(PICTURE), "ICO"),
        "vector.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=r"is not a picture that can be read \(AVIF"):
            read_image(tmp_path / name)


def test_files_that_cannot_be_read_are_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with pytest.raises(InputError, match="is empty"):
        read_image(tmp_path / "empty.png")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_image(tmp_path / "missing.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(InputError, match="folder"):
        read_image(tmp_path / "folder.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the platform has no pipes in folders")
def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputError):
        read_image(tmp_path / "pipe.png")


def test_a_device_that_never_ends_is_refused() -> None:
    with pytest.raises(InputError):
        read_bytes(Path("/dev/zero"))


@pytest.mark.parametrize("name", ["綾波 レイ.png", "a'b\"c.png", "é\u0301.PNG", "-x.png", "😀.png"])
def test_a_picture_is_read_whatever_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "フォルダ" / name
    path.parent.mkdir()
    path.write_bytes(encode_png(PICTURE))
    image = read_image(path)
    assert np.array_equal(image.pixels, PICTURE)
    assert image.digest == digest_of(path.read_bytes())
    assert image.path == path


@given(seed=st.integers(0, 2**32), width=st.integers(1, 30), height=st.integers(1, 30))
def test_a_crop_comes_back_as_it_was_encoded(seed: int, width: int, height: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    assert np.array_equal(decode_png(encode_png(pixels)), pixels)


def test_a_damaged_crop_is_an_error_that_names_the_cure() -> None:
    with pytest.raises(DamagedCrop, match="put a back-up"):
        decode_png(b"nothing")


def test_a_files_state_changes_with_its_size_and_its_time(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"1")
    os.utime(path, ns=(10, 10))
    assert file_state(path) == FileState(1, 10)
    os.utime(path, ns=(10, 11))
    assert file_state(path) == FileState(1, 11)


def with_orientation(picture: pillow.Image, kind: str, orientation: int) -> bytes:
    exif = pillow.Exif()
    exif[0x0112] = orientation
    return saved(picture, kind, exif=exif)


@pytest.mark.parametrize("kind", ["TIFF", "JPEG2000"])
def test_tiff_and_jpeg_2000_are_read(kind: str) -> None:
    options = {"irreversible": False} if kind == "JPEG2000" else {}
    assert np.array_equal(pixels_of(saved(pillow.fromarray(PICTURE), kind, **options)), PICTURE)


def test_a_tiff_of_shares_is_not_black() -> None:
    grey = pillow.fromarray(PICTURE).convert("L")
    shares = pillow.fromarray(np.asarray(grey, np.float32) / 255)
    found = pixels_of(saved(shares, "TIFF"))
    assert np.abs(found[:, :, 0].astype(int) - np.asarray(grey)).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["TIFF", "PNG"])
def test_a_picture_is_turned_once_and_known_by_what_is_stored(
    kind: str, orientation: int, tmp_path: Path
) -> None:
    picture = pillow.fromarray(PICTURE)
    path = tmp_path / "a"
    path.write_bytes(with_orientation(picture, kind, orientation))
    image, plain = read_image(path), decode(saved(picture, kind), path)
    is_sideways = orientation >= 5
    assert image.pixels.shape[:2] == (PICTURE.shape[:2][::-1] if is_sideways else PICTURE.shape[:2])
    assert image.content is not None
    assert plain.content is not None
    assert image.content.pixels == plain.content.pixels
    assert image.content.orientation == orientation
    header = read_header(path)
    assert (header.height, header.width) == PICTURE.shape[:2]
    assert header.orientation == orientation


def test_what_xmp_says_of_orientation_is_of_no_account_as_in_browsers() -> None:
    notes = PngInfo()
    notes.add_itxt("XML:com.adobe.xmp", '<x:xmpmeta tiff:Orientation="6"/>')
    content = saved(pillow.fromarray(PICTURE), "PNG", pnginfo=notes)
    assert np.array_equal(pixels_of(content), PICTURE)


@pytest.mark.parametrize("note", ["icc", "text", "compressed", "international"])
def test_a_png_with_large_notes_is_read(note: str, tmp_path: Path) -> None:
    notes, options = PngInfo(), {}
    notes.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta/>")
    if note == "icc":
        options["icc_profile"] = bytes(2_000_000)
    elif note == "international":
        notes.add_itxt("workflow", "x" * 2_000_000, zip=True)
    else:
        notes.add_text("workflow", "x" * 2_000_000, zip=note == "compressed")
    path = tmp_path / "a.png"
    path.write_bytes(saved(pillow.fromarray(PICTURE), "PNG", pnginfo=notes, **options))
    assert np.array_equal(read_image(path).pixels, PICTURE)
    assert read_header(path).xmp == b"<x:xmpmeta/>"


@pytest.mark.parametrize("form", ["GIF", "JPEG2000"])
def test_a_packet_that_stands_in_a_file_as_it_is_is_found(form: str, tmp_path: Path) -> None:
    packet = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>\n</x:xmpmeta>"
    path = tmp_path / "a"
    content = saved(pillow.fromarray(PICTURE), form)
    path.write_bytes(content)
    assert read_header(path).xmp is None
    # Both formats know blocks of programs behind the picture.
    path.write_bytes(content + b"\0" * 8 + packet + b"\0")
    assert read_header(path).xmp == packet


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_may_lack_its_end_mark_and_no_more(progressive: bool) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 90, 3), np.uint8)
    content = saved(pillow.fromarray(noise), "JPEG", progressive=progressive)
    assert content.endswith(b"\xff\xd9")
    whole = pixels_of(content)
    for lacking in (content[:-1], content[:-2]):
        assert np.array_equal(pixels_of(lacking), whole)
    for cut in (3, 4, 20, 2_000):
        pixels, why = pixels_or_refusal(content[:-cut])
        # The last byte or two may hold nothing but filling.
        assert pixels is None or (cut < 5 and np.array_equal(pixels, whole)), cut
        assert pixels is not None or "cut short" in why


@pytest.mark.skipif(
    importlib.util.find_spec("pillow_jxl") is None, reason="pillow-jxl-plugin is not installed"
)
def test_jpeg_xl_is_read_where_its_decoder_is_installed() -> None:
    importlib.import_module("pillow_jxl")
    content = saved(pillow.fromarray(PICTURE), "JXL", lossless=True)
    assert np.array_equal(pixels_of(content), PICTURE)
    assert ".jxl" in suffixes()
