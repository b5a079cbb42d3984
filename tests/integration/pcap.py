"""Datagrams as a capture file that tshark reads, and what tshark makes of them.  Written by hand, so that nothing of the
product is checked by itself and no capture needs a privilege."""

import json
import struct
import xml.etree.ElementTree as ElementTree

RAW_IP = 101  # link type


def write(path, datagrams, source_port=9200, port=2948):
    """Each of `datagrams` as one IPv4 packet of its own."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, RAW_IP))
        for datagram in datagrams:
            udp = struct.pack(">HHHH", source_port, port, 8 + len(datagram), 0) + datagram
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\2") + udp
            f.write(struct.pack("<IIII", 1, 0, len(ip), len(ip)) + ip)


def objects(bench, path):
    """The layers of each packet, as tshark's JSON has them."""
    return [p["_source"]["layers"] for p in json.loads(bench.tool("tshark", "-r", path, "-T", "json"))]


def fields(bench, path):
    """For each packet: {field name: [(what tshark says, the octets as hexadecimal digits)]}, in the order of the packet."""
    packets = []
    for packet in ElementTree.fromstring(bench.tool("tshark", "-r", path, "-T", "pdml")).iter("packet"):
        found = {}
        for f in packet.iter("field"):
            found.setdefault(f.get("name"), []).append((f.get("showname") or f.get("show"), f.get("value")))
        packets.append(found)
    return packets
