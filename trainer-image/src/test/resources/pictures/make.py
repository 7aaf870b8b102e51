"""Makes the pictures of this folder, and beside each the RGB that Pillow decodes it to (NAME.rgb.png). Pillow 10.4, numpy.

usage: make.py FOLDER
"""
import struct, sys, zlib
from pathlib import Path
import numpy as np
from PIL import Image, ImageCms

out = Path(sys.argv[1])
rng = np.random.default_rng(0)
H, W = 37, 53
yy, xx = np.mgrid[0:H, 0:W]
smooth = np.stack([128 + 80 * np.sin(xx / 9) + 30 * np.cos(yy / 5), 128 + 90 * np.cos((xx + yy) / 11), 60 + 2 * xx + yy], -1)
photo = np.clip(smooth + rng.normal(0, 4, (H, W, 3)), 0, 255).astype(np.uint8)
rgb = Image.fromarray(photo)
gray = Image.fromarray(photo[:, :, 0])
rgba = rgb.copy()
rgba.putalpha(Image.fromarray(np.clip(xx * 5, 0, 255).astype(np.uint8)))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(name, rows, bits, colour, extra=b"", interlaced=False):
    """rows: bytes of each row, unfiltered; interlaced: whole passes, each row's filter byte there already."""
    data = rows if interlaced else b"".join(b"\0" + row for row in rows)
    ihdr = struct.pack(">IIBBBBB", W, H, bits, colour, 0, 0, int(interlaced))
    body = chunk(b"IHDR", ihdr) + extra + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")
    (out / name).write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def packed(values, bits):
    flags = ((values[:, :, None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8).reshape(H, W * bits)
    return [np.packbits(row).tobytes() for row in flags]


for bits in (1, 2, 4):
    png(f"gray{bits}.png", packed(photo[:, :, 1] >> (8 - bits), bits), bits, 0)
palette = rng.integers(0, 256, (16, 3), np.uint8)
for bits in (1, 2, 4):
    png(f"palette{bits}.png", packed(photo[:, :, 1] >> (8 - bits), bits), bits, 3, chunk(b"PLTE", palette[:2**bits].tobytes()))
png("palette_trns.png", packed(photo[:, :, 1] >> 4, 4), 4, 3, chunk(b"PLTE", palette.tobytes()) + chunk(b"tRNS", bytes([0, 0, 128])))
wide = (photo.astype(np.uint16) << 8) | rng.integers(0, 256, photo.shape, np.uint16)
png("rgb16.png", [row.astype(">u2").tobytes() for row in wide], 16, 2)
png("gray16.png", [row.astype(">u2").tobytes() for row in wide[:, :, 0]], 16, 0)
png("rgb_trns.png", [row.tobytes() for row in photo], 8, 2, chunk(b"tRNS", struct.pack(">HHH", *map(int, photo[3, 3]))))
png("gray_trns.png", [row.tobytes() for row in photo[:, :, 0]], 8, 0, chunk(b"tRNS", struct.pack(">H", int(photo[3, 3, 0]))))
png("rgb_gama.png", [row.tobytes() for row in photo], 8, 2, chunk(b"gAMA", struct.pack(">I", 100000)) + chunk(b"iCCP", b"name\0\0broken"))
passes = b""
for y0, x0, dy, dx in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)):
    passes += b"".join(b"\0" + row.tobytes() for row in photo[y0::dy, x0::dx])
png("interlaced.png", passes, 8, 2, interlaced=True)
rgb.convert("P", palette=Image.Palette.ADAPTIVE).save(out / "adaptive.gif")
rgb.save(out / "first_of_two.gif", save_all=True, append_images=[Image.fromarray(255 - photo)], loop=0)
for name, image in (("rgb24", rgb), ("gray8", gray), ("rgba32", rgba), ("black_white", gray.convert("1"))):
    image.save(out / f"{name}.bmp")

icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# Red's and green's primaries change places: whoever applies it changes the samples.
icc = icc.replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")
rgb.save(out / "baseline.jpg", quality=90, subsampling=0)
rgb.save(out / "progressive.jpg", quality=85, progressive=True)
rgb.save(out / "subsampled.jpg", quality=75, subsampling=1)
rgb.save(out / "profile.jpg", quality=90, icc_profile=icc)
gray.save(out / "gray.jpg", quality=85)
rgb.save(out / "rgb_kept.jpg", quality=90, keep_rgb=True)
full = (out / "baseline.jpg").read_bytes()
# Neither JFIF nor Adobe's segment: libjpeg takes it for YCbCr.
start = 4 + struct.unpack(">H", full[4:6])[0]
(out / "bare.jpg").write_bytes(full[:2] + full[start:])
rgb.save(out / "lossless.webp", lossless=True)
rgba.save(out / "lossless_alpha.webp", lossless=True, exact=True)
rgb.save(out / "profile.webp", lossless=True, icc_profile=icc)
for quality in (30, 75, 95):
    rgb.save(out / f"lossy{quality}.webp", quality=quality)
rgba.save(out / "lossy_alpha.webp", quality=75, exact=True)

for file in sorted(out.iterdir()):
    if file.suffix in (".png", ".gif", ".bmp", ".jpg", ".webp") and not file.name.endswith(".rgb.png"):
        pixels = np.asarray(Image.open(file).convert("RGB"))
        if file.name == "gray16.png":
            # Pillow 10 takes the low byte or 255 here; the trainer takes the high byte, as both do in colour.
            pixels = np.repeat(wide[:, :, :1] >> 8, 3, 2).astype(np.uint8)
        Image.fromarray(pixels).save(out / (file.name + ".rgb.png"), optimize=True)

# What no picture may be.
rgb.convert("CMYK").save(out / "cmyk.jpg")

# Pictures that are resized, the bicubic filter's sizes in their names.
for w, h in ((1, 1), (5, 300), (53, 37), (53, 90), (20, 37), (112, 56), (7, 3), (160, 160), (52, 36), (224, 31)):
    rgb.resize((w, h), Image.BICUBIC).save(out / f"bicubic_{w}x{h}.png", optimize=True)
rgb.save(out / "animated.webp", save_all=True, append_images=[Image.fromarray(255 - photo)])
