"""One small picture in each format that Pillow reads and does not write."""

from __future__ import annotations

import io
import struct

from PIL import Image

SIZE = WIDTH, HEIGHT = 16, 8
WMF_MARK = b"\1\0\x09\0" + bytes(40)
GREY = bytes(range(WIDTH * HEIGHT))
RGB = bytes(range(256)) + bytes(range(WIDTH * HEIGHT * 3 - 256))


def rare_formats() -> dict[str, bytes]:
    """By names whose suffix is the format that Pillow takes each for, in small letters."""
    return {
        "small.bufr": b"BUFR" + bytes(99),
        "small.cur": _cursor(),
        "small.dcx": struct.pack("<III", 987_654_321, 12, 0) + _saved("PCX"),
        "small.fits": _fits(),
        "small.fli": _fli(),
        "small.ftex": struct.pack("<4s8i", b"FTEX", 1, WIDTH, HEIGHT, 1, 1, 1, 36, len(RGB))
        + struct.pack("<i", len(RGB))
        + RGB,
        "small.gbr": struct.pack(">5I4sI", 29, 2, WIDTH, HEIGHT, 1, b"GIMP", 10) + b"\0" + GREY,
        "small.grib": b"GRIB\0\0\0\1" + bytes(99),
        "small.hdf5": b"\x89HDF\r\n\x1a\n" + bytes(99),
        "small.imt": f"width {WIDTH}\nheight {HEIGHT}\npixel n8\n\x0c".encode() + GREY,
        "small.iptc": _iptc(),
        "small.mcidas": _mcidas(),
        "small.mpeg": b"\0\0\1\xb3" + bytes([WIDTH >> 4, (WIDTH & 15) << 4, HEIGHT]) + bytes(30),
        "small.pcd": bytes(2048) + b"PCD_" + bytes(96 * 2048 + 768 * 512 * 3 - 2052),
        "small.pixar": _pixar(),
        "small.psd": b"8BPS" + struct.pack(">H6xHIIHHIIIH", 1, 3, HEIGHT, WIDTH, 8, 3, 0, 0, 0, 0) + RGB,
        "small.sun": struct.pack(">8I", 0x59A66A95, WIDTH, HEIGHT, 8, len(GREY), 1, 0, 0) + GREY,
        "small.wmf": struct.pack("<IHhhhhH", 0x9AC6CDD7, 0, 0, 0, WIDTH, HEIGHT, 72) + bytes(6) + WMF_MARK,
        "small.xpm": _xpm(),
        "small.xvthumb": f"P7 332\n#END_OF_COMMENTS\n{WIDTH} {HEIGHT} 255\n".encode() + GREY,
    }


def _saved(kind: str) -> bytes:
    data = io.BytesIO()
    Image.frombytes("L", SIZE, GREY).save(data, kind)
    return data.getvalue()


def _cursor() -> bytes:
    icon = io.BytesIO()
    Image.new("RGBA", SIZE).save(icon, "ICO", bitmap_format="bmp", sizes=[SIZE])
    return icon.getvalue()[:2] + b"\2" + icon.getvalue()[3:]


def _fits() -> bytes:
    cards = {"SIMPLE": "T", "BITPIX": "8", "NAXIS": "2", "NAXIS1": str(WIDTH), "NAXIS2": str(HEIGHT)}
    header = "".join(f"{name:8}= {value:>20}".ljust(80) for name, value in cards.items()) + "END"
    return header.ljust(2880).encode() + GREY


def _fli() -> bytes:
    pixels = b"".join(bytes([1, 256 - WIDTH]) + GREY[row * WIDTH :][:WIDTH] for row in range(HEIGHT))
    chunk = struct.pack("<IH", 6 + len(pixels), 15) + pixels
    frame = struct.pack("<IHH8x", 16 + len(chunk), 0xF1FA, 1) + chunk
    header = struct.pack("<IHHHHHHI", 128 + len(frame), 0xAF12, 1, WIDTH, HEIGHT, 8, 3, 70)
    return header.ljust(128, b"\0") + frame


def _iptc() -> bytes:
    def field(record: int, number: int, value: bytes) -> bytes:
        return struct.pack(">BBBH", 0x1C, record, number, len(value)) + value

    return b"".join(
        [
            field(3, 60, b"\1\0"),
            field(3, 20, struct.pack(">H", WIDTH)),
            field(3, 30, struct.pack(">H", HEIGHT)),
            field(3, 120, b"\1"),
            field(8, 10, GREY),
        ]
    )


def _mcidas() -> bytes:
    words = [0] * 64
    words[1], words[8], words[9], words[10], words[13], words[33] = 4, HEIGHT, WIDTH, 1, 1, 256
    return struct.pack(">64i", *words) + GREY


def _pixar() -> bytes:
    header = bytearray(1024)
    header[:4] = b"\200\350\0\0"
    struct.pack_into("<HH", header, 416, HEIGHT, WIDTH)
    struct.pack_into("<HH", header, 424, 14, 2)
    return bytes(header) + RGB


def _xpm() -> bytes:
    rows = "".join(f'"{"ab" * (WIDTH // 2)}",\n' for _ in range(HEIGHT))
    colours = '"a c #ff0000",\n"b c #0000ff",\n'
    return f'/* XPM */\nstatic char *a[] = {{\n"{WIDTH} {HEIGHT} 2 1",\n{colours}{rows}}};\n'.encode()
