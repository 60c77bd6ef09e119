"""FarmHash's Fingerprint64 against values that other implementations publish."""

from __future__ import annotations

import pytest

from lamina.ops.farmhash import fingerprint64

# Guava's FarmHashFingerprint64Test, and the examples of BigQuery's FARM_FINGERPRINT; signed.
PUBLISHED = {
    b"test": 8581389452482819506,
    b"test" * 8: -4196240717365766262,
    b"test" * 64: 3500507768004279527,
    b"1footrue": -1541654101129638711,
    b"2applefalse": 2794438866806483259,
    b"3true": -4880158226897771312,
    b"foo": 6150913649986995171,
}


@pytest.mark.parametrize("data", PUBLISHED, ids=lambda data: f"{len(data)} bytes")
def test_published_fingerprints(data):
    assert fingerprint64(data) == PUBLISHED[data] % 2**64


def test_every_length_up_to_300_has_a_fingerprint_of_its_own():
    found = [fingerprint64(b"x" * size) for size in range(300)]
    assert len(set(found)) == 300
    assert all(0 <= number < 2**64 for number in found)


@pytest.mark.parametrize("size", [3, 7, 8, 16, 17, 32, 33, 64, 65, 127, 128, 129, 200])
def test_every_byte_counts(size):
    data = bytes(range(size))
    changed = [data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :] for i in range(size)]
    assert len({fingerprint64(data), *map(fingerprint64, changed)}) == size + 1
