"""Tokens by an implementation that is not ours: PyJWT with python3-cryptography, as Debian packages them.

Usage: token_maker.py FOLDER.  Reads JSON objects {"alg", "kid", "claims", "headers"}, one a line, and prints a token
for each.  The key `kid` is made when it is first named and kept in FOLDER; FOLDER/KID.jwk is its public half (of a
shared key: the key).  Run by the system's own python3, which sees those packages.
"""

import base64
import json
import os
import sys

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

MAKERS = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "PS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def number(n, size=None):
    return base64url(n.to_bytes(size or (n.bit_length() + 7) // 8, "big"))


def jwk_of(key, alg, kid):
    if isinstance(key, bytes):
        return {"kty": "oct", "k": base64url(key), "alg": alg, "kid": kid}
    public = key.public_key()
    if alg == "EdDSA":
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url(raw), "alg": alg, "kid": kid}
    numbers = public.public_numbers()
    if alg == "ES256":
        return {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32), "alg": alg, "kid": kid}
    return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e), "alg": alg, "kid": kid}


def key_of(folder, alg, kid):
    path = os.path.join(folder, kid + ".key")
    if os.path.exists(path):
        with open(path, "rb") as f:
            data = f.read()
        return data if alg.startswith("HS") else serialization.load_pem_private_key(data, None)
    key = os.urandom(32) if alg.startswith("HS") else MAKERS[alg]()
    with open(path, "wb") as f:
        f.write(key if isinstance(key, bytes) else key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    with open(os.path.join(folder, kid + ".jwk"), "w", encoding="utf-8") as f:
        json.dump(jwk_of(key, alg, kid), f)
    return key


def main():
    for line in sys.stdin:
        want = json.loads(line)
        key = key_of(sys.argv[1], want["alg"], want["kid"])
        print(jwt.encode(want["claims"], key, want["alg"], {"kid": want["kid"], **want.get("headers", {})}))


main()
