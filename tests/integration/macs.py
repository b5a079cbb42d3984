"""x-syncml-hmac as an independent sender and receiver make it, with python's hashlib.  DM message security 5.4."""

import base64
import hashlib
import hmac
import os
import re


def b64(octets):
    return base64.b64encode(octets).decode()


def inner(user, password):
    return b64(hashlib.md5(f"{user}:{password}".encode()).digest())


def of_md5(user, password, nonce, body):
    """The nested MD5 that DM calls HMAC-MD5."""
    text = f"{inner(user, password)}:".encode() + nonce + b":" + b64(hashlib.md5(body).digest()).encode()
    return hashlib.md5(text).digest()


def of_sha256(key, nonce, body):
    return hmac.new(key, nonce + b":" + b64(hashlib.sha256(body).digest()).encode(), hashlib.sha256).digest()


def header(user, nonce, body, password=None, key=None):
    if key:
        return f'algorithm=SHA-256, username="{user}", mac={b64(of_sha256(key, nonce, body))}'
    return f'algorithm=MD5, username="{user}", mac={b64(of_md5(user, password, nonce, body))}'


def fields(value):
    """Of a header: what each parameter is."""
    return {k.lower(): q or w for k, q, w in re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))', value)}


def nonce_of(challenges):
    """The nonce of the Syncml-MAC challenge among WWW-Authenticate values; None: there is none."""
    for value in challenges:
        if value.lower().startswith("syncml-mac "):
            return base64.b64decode(fields(value)["nonce"])
    return None


def new_nonce():
    return os.urandom(16)
