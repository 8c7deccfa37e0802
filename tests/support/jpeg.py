"""Grey sequential JPEG decoded by the letter of ITU-T T.81, its cosines summed in float64.

No decoder's shortcuts, so what libjpeg rounds to integers can be told from what it gets wrong.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# (length, code) to symbol.
Codes: TypeAlias = dict[tuple[int, int], int]

QUANTISATION, HUFFMAN, FRAME, SCAN = 0xDB, 0xC4, 0xC1, 0xDA
SIDE = 8
# T.81's figure 5: along one diagonal up, along the next one down.
ZIGZAG = sorted(np.ndindex(SIDE, SIDE), key=lambda at: (sum(at), at[0] if sum(at) % 2 else at[1]))
_step = np.arange(SIDE)
COSINES = np.cos((2 * _step[:, np.newaxis] + 1) * _step * np.pi / 16) / 2
COSINES[:, 0] /= np.sqrt(2)


def decode(stream: bytes) -> NDArray[np.float64]:
    """Return the samples (H, W) of a grey stream without restarts, not rounded."""
    steps: NDArray[np.int64] = np.ones(SIDE * SIDE, np.int64)
    codes: dict[int, Codes] = {}
    bits, height, width = 0, 0, 0
    for marker, body, end in _segments(stream):
        if marker == QUANTISATION:
            steps = np.frombuffer(body[1:], ">u2" if body[0] >> 4 else "u1").astype(np.int64)
        elif marker == HUFFMAN:
            codes[body[0]] = _codes(body[1:17], body[17:])
        elif marker == FRAME:
            bits, height, width = body[0], *np.frombuffer(body[1:5], ">u2").tolist()
        elif marker == SCAN:
            scan = _Scan(stream[end : stream.rindex(b"\xff\xd9")].replace(b"\xff\0", b"\xff"))
            blocks = [
                [scan.block(codes[0], codes[16], steps) for _ in range(-(-width // SIDE))]
                for _ in range(-(-height // SIDE))
            ]
            pixels = np.block(blocks)[:height, :width] + (1 << bits - 1)
            return np.clip(pixels, 0, (1 << bits) - 1)
    raise ValueError("no scan")


def _segments(stream: bytes) -> Iterator[tuple[int, bytes, int]]:
    at = 2
    while at < len(stream):
        end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        yield stream[at + 1], stream[at + 4 : end], end
        at = end


def _codes(lengths: bytes, symbols: bytes) -> Codes:
    codes: Codes = {}
    code, order = 0, count()
    for length, amount in enumerate(lengths, 1):
        for _ in range(amount):
            codes[length, code] = symbols[next(order)]
            code += 1
        code <<= 1
    return codes


class _Scan:
    """The entropy-coded bits, and the last block's mean, from which the next one is told."""

    def __init__(self, data: bytes) -> None:
        self.bits = "".join(f"{byte:08b}" for byte in data)
        self.at = 0
        self.mean = 0

    def block(self, dc: Codes, ac: Codes, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        amounts = np.zeros((SIDE, SIDE))
        self.mean += self._number(self._symbol(dc))
        amounts[0, 0] = self.mean * steps[0]
        place = 1
        while place < SIDE * SIDE:
            zeros, length = divmod(self._symbol(ac), 16)
            if (zeros, length) == (0, 0):
                break
            place += zeros
            if length:
                amounts[ZIGZAG[place]] = self._number(length) * steps[place]
            place += 1
        return COSINES @ amounts @ COSINES.T

    def _symbol(self, codes: Codes) -> int:
        for length in range(1, 17):
            symbol = codes.get((length, int(self.bits[self.at : self.at + length], 2)))
            if symbol is not None:
                self.at += length
                return symbol
        raise ValueError("no such code")

    def _number(self, length: int) -> int:
        digits = self.bits[self.at : self.at + length]
        self.at += length
        if not digits:
            return 0
        return int(digits, 2) - (0 if digits[0] == "1" else (1 << length) - 1)
