"""Draws the pictures of ../pictures.jsonl: boxes of one colour on a pale ground. Needs Python alone.

usage: make_pictures.py
"""

import pathlib
import struct
import zlib

COLOURS = {
    "red": (214, 40, 40),
    "green": (42, 157, 80),
    "blue": (36, 84, 200),
    "yellow": (244, 200, 30),
}
GROUND = (240, 240, 232)

# file name, width and height in pixels, colour, and the boxes as (left, top, right, bottom)
PICTURES = [
    ("one-red.png", 160, 120, "red", [(50, 30, 110, 90)]),
    ("two-green.png", 240, 120, "green", [(30, 30, 90, 90), (140, 30, 200, 90)]),
    ("one-blue-wide.png", 320, 100, "blue", [(20, 35, 300, 65)]),
    ("one-yellow-tall.png", 100, 300, "yellow", [(35, 20, 65, 280)]),
    ("three-red.png", 300, 120, "red", [(15, 40, 75, 80), (120, 40, 180, 80), (225, 40, 285, 80)]),
]


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(width, height, colour, boxes):
    lines = bytearray()
    for y in range(height):
        lines.append(0)
        for x in range(width):
            inside = any(left <= x < right and top <= y < bottom for left, top, right, bottom in boxes)
            lines += bytes(COLOURS[colour] if inside else GROUND)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(lines), 9))
        + chunk(b"IEND", b"")
    )


for name, width, height, colour, boxes in PICTURES:
    pathlib.Path(__file__).with_name(name).write_bytes(png(width, height, colour, boxes))
