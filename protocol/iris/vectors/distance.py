#!/usr/bin/env python3
"""Writes distance.json: templates as bytes, and what the distance between two of them is.

A second implementation, on purpose unlike the one in Rust: a template is a list of 16,384 (code, mask) bits, and a
rotation or a mirror moves bits one at a time. Standard library only. Run: python3 distance.py > distance.json
"""

import json
import random

COLUMNS, ROWS, PLANES = 256, 16, 4
BITS = COLUMNS * ROWS * PLANES
RANDOM = random.Random(20040121)  # fixed, so that the file can be made again; the date of Daugman's paper


def template(code_bit, mask_bit):
    """{(column, plane, row): (code, mask)} from two functions of (column, plane, row)."""
    bits = {}
    for column in range(COLUMNS):
        for plane in range(PLANES):
            for row in range(ROWS):
                mask = mask_bit(column, plane, row)
                bits[column, plane, row] = (code_bit(column, plane, row) & mask, mask)
    return bits


def encoded(bits):
    """Code columns, then mask columns, each as a little-endian 64-bit word with bit = plane * 16 + row."""
    out = bytearray()
    for which in (0, 1):
        for column in range(COLUMNS):
            for byte in range(8):
                value = 0
                for bit in range(8):
                    plane, row = divmod(byte * 8 + bit, ROWS)
                    value |= bits[column, plane, row][which] << bit
                out.append(value)
    return out.hex()


def rotated(bits, by):
    return {((column + by) % COLUMNS, plane, row): bit for (column, plane, row), bit in bits.items()}


def mirrored(bits):
    """Angle t becomes 180 degrees - t; odd (imaginary) filter parts change sign."""
    out = {}
    for (column, plane, row), (code, mask) in bits.items():
        flip = 1 if plane in (1, 3) else 0
        out[(COLUMNS // 2 - column) % COLUMNS, plane, row] = ((code ^ flip) & mask, mask)
    return out


def counts(a, b):
    differing = compared = 0
    for place, (code, mask) in a.items():
        other, other_mask = b[place]
        if mask and other_mask:
            compared += 1
            differing += code != other
    return differing, compared


def closest(probe, gallery, needed):
    """Smallest fraction over 31 rotations with enough bits; of equal fractions the one with more bits."""
    best = fullest = None
    for by in range(-15, 16):
        differing, compared = counts(rotated(probe, by), gallery)
        fullest = compared if fullest is None else max(fullest, compared)
        if compared < max(needed, 1):
            continue
        if best is None or (differing * best[1], -compared) < (best[0] * compared, -best[1]):
            best = differing, compared
    return best, fullest


def coin(*_):
    return RANDOM.getrandbits(1)


def noisy(bits, share):
    return {place: (code ^ ((RANDOM.random() < share) & mask), mask) for place, (code, mask) in bits.items()}


def masked(bits, keep):
    kept = {place: keep(*place) for place in bits}
    return {place: (code & kept[place], mask & kept[place]) for place, (code, mask) in bits.items()}


def main():
    first = template(coin, lambda *_: 1)
    seen = masked(noisy(first, 0.2), lambda *_: int(RANDOM.random() < 0.8))
    templates = {
        "open": first,
        "again": seen,
        "turned by 15": rotated(seen, 15),
        "turned by 16": rotated(seen, 16),
        "mirrored": mirrored(seen),
        "stranger": template(coin, lambda *_: int(RANDOM.random() < 0.6)),
        "upper half": masked(first, lambda column, *_: int(column >= 128)),
        "lower half": masked(first, lambda column, *_: int(column < 128)),
        "one sector": masked(first, lambda column, *_: int(column < 70)),
        "blind": template(coin, lambda *_: 0),
    }
    needed = 4916
    pairs = [
        ("open", "open"), ("open", "again"), ("again", "open"), ("turned by 15", "open"), ("turned by 16", "open"),
        ("mirrored", "open"), ("stranger", "open"), ("stranger", "again"), ("upper half", "open"),
        ("upper half", "lower half"), ("one sector", "open"), ("one sector", "stranger"), ("blind", "open"),
        ("blind", "blind"),
    ]
    vectors = []
    for probe, gallery in pairs:
        for min_compared in (0, needed):
            best, fullest = closest(templates[probe], templates[gallery], min_compared)
            still, compared = counts(templates[probe], templates[gallery])
            vectors.append({
                "name": f"{probe} / {gallery} / {min_compared}",
                "probe": probe, "gallery": gallery, "min_compared": min_compared,
                "unrotated": {"differing": still, "compared": compared},
                "closest": best and {"differing": best[0], "compared": best[1]},
                "fullest": fullest,
            })
    print(json.dumps({
        "made_by": "distance.py",
        "mirror": ["again", "mirrored"],
        "templates": {name: encoded(bits) for name, bits in templates.items()},
        "vectors": vectors,
    }, indent=1))


if __name__ == "__main__":
    main()
