"""The cryptography of orders and grants, from the RFCs alone: X25519 (7748), ChaCha20-Poly1305 (8439), HPKE in mode auth (9180).
For attacks: it is slow, it is not constant in time, and it shares no line with what it attacks."""

import functools
import hmac
import os
import struct

P = 2**255 - 19


def x25519(scalar, point=(9).to_bytes(32, "little")):
    k = int.from_bytes(scalar, "little") & ~7 & ~(1 << 255) | 1 << 254
    u = int.from_bytes(point, "little") & (1 << 255) - 1
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for bit in reversed(range(255)):
        kt = k >> bit & 1
        if swap ^ kt:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = kt
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def chacha_block(key, counter, nonce):
    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *struct.unpack("<8L", key), counter, *struct.unpack("<3L", nonce)]
    s = start[:]

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = s[x] + s[y] & 0xFFFFFFFF
            v = s[z] ^ s[x]
            s[z] = (v << turn | v >> 32 - turn) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, 4 + column, 8 + column, 12 + column)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<16L", *((x + y) & 0xFFFFFFFF for x, y in zip(s, start)))


def chacha(key, nonce, data):
    blocks = b"".join(chacha_block(key, 1 + i, nonce) for i in range((len(data) + 63) // 64))
    return bytes(x ^ y for x, y in zip(data, blocks))


def tag(key, nonce, aad, cipher):
    one = chacha_block(key, 0, nonce)
    r = int.from_bytes(one[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    text = aad + bytes(-len(aad) % 16) + cipher + bytes(-len(cipher) % 16) + struct.pack("<QQ", len(aad), len(cipher))
    sum_ = 0
    for i in range(0, len(text), 16):
        sum_ = (sum_ + int.from_bytes(text[i:i + 16] + b"\1", "little")) * r % (2**130 - 5)
    return (sum_ + int.from_bytes(one[16:32], "little") & 2**128 - 1).to_bytes(16, "little")


def aead_seal(key, nonce, aad, plain):
    cipher = chacha(key, nonce, plain)
    return cipher + tag(key, nonce, aad, cipher)


def aead_open(key, nonce, aad, sealed):
    """None if the key, the nonce or the additional data is another one."""
    cipher = sealed[:-16]
    return chacha(key, nonce, cipher) if tag(key, nonce, aad, cipher) == sealed[-16:] else None


def extract(salt, data):
    return hmac.digest(salt or bytes(32), data, "sha256")


def expand(key, info, size):
    return (hmac.digest(key, info + b"\1", "sha256"))[:size]


@functools.cache
def shared_with(private, broker):
    """(public key, encapsulated key, Diffie and Hellman's two words): the key that is used once is used more than once here."""
    once = os.urandom(32)
    return x25519(private), x25519(once), x25519(once, broker) + x25519(private, broker)


def seal_order(private, broker, plain, value=b"", info=b"bulkhead order 1"):
    """(public key, encapsulated key, sealed order, sealed value): what OrderSealer makes, in mode auth."""
    kem, suite = b"KEM\0\x20", b"HPKE\0\x20\0\1\0\3"

    def labelled_extract(name, salt, label, data):
        return extract(salt, b"HPKE-v1" + name + label + data)

    def labelled_expand(name, key, label, data, size):
        return expand(key, struct.pack(">H", size) + b"HPKE-v1" + name + label + data, size)

    public, encapsulated, both = shared_with(private, broker)
    shared = labelled_expand(kem, labelled_extract(kem, b"", b"eae_prk", both), b"shared_secret", encapsulated + broker + public, 32)
    context = b"\2" + labelled_extract(suite, b"", b"psk_id_hash", b"") + labelled_extract(suite, b"", b"info_hash", info)
    secret = labelled_extract(suite, shared, b"secret", b"")
    key, base = (labelled_expand(suite, secret, label, context, n) for label, n in ((b"key", 32), (b"base_nonce", 12)))
    second = base[:-1] + bytes([base[-1] ^ 1])
    return public, encapsulated, aead_seal(key, base, b"", plain), aead_seal(key, second, b"", value) if value else b""


def open_grant(key, runner, sealed):
    """The GrantBody's bytes in a grant, or None."""
    return aead_open(key, sealed[:12], b"bulkhead grant 1" + runner, sealed[12:])
