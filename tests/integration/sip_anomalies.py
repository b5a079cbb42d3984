"""SIP messages of which one element is not what it should be: each element of a message with each anomaly in its place, before it and
behind it, in the manner of the test suites that broke SIP stacks twenty years ago.  The same every time."""

NUMBERS = ["-1", "0", "00000000001", "65536", "2147483648", "4294967296", "9223372036854775808", "9" * 40, "0x10", "1e9", "1.5", "+1", " 1 "]
TEXTS = ["", " ", "\t", "A" * 64, "A" * 255, "A" * 256, "A" * 1023, "A" * 4096, "A" * 8193, "A" * 30000, "%s%n%x" * 20, "%00", "%0d%0a", "%zz",
         "\0", "\0" * 100, "\x01\x02\x7f", "\xff\xfe" * 30, "\xc0\xaf", "\r\n", "\r\n ", "\n", "\r", "\r\n\r\n", "\r\n\t" * 50]
MARKS = ['"', '""', '"\\', "<", ">", "<>", "<<<<>>>>", "<" * 300, "(", "()", "(((((" * 30, "[", "[::1", "[::::::::]", "@", "@@@", ":", ":::::", ";",
         ";" * 300, ";=;=", ";a=b" * 200, ",", "," * 300, "/", "////", "\\", "=", "?", "?a=b&c=d", "#", "*", "..", "sip:", "sip:@", "sip:a@:5060",
         "sip:a@[1", "tel:+1", "<sip:a@b", '"x" <sip:a@b>', "SIP/2.0/UDP", "SIP/2.0/" * 50]
ANOMALIES = NUMBERS + TEXTS + MARKS

REQUEST = [("MESSAGE", " "), ("sip:alice@127.0.0.1", " "), ("SIP/2.0", "\r\nVia: "), ("SIP/2.0/UDP", " "), ("127.0.0.1", ":"), ("9", ";branch="),
           ("z9hG4bK{mark}", "\r\nMax-Forwards: "), ("70", "\r\nFrom: "), ("<sip:a@b>", ";tag="), ("1", "\r\nTo: "), ("<sip:x@y>", "\r\nCall-ID: "),
           ("{mark}@b", "\r\nCSeq: "), ("1", " "), ("MESSAGE", "\r\nAccept-Contact: "), ("*;+g.oma.pusheventapp=\"wml.ua\"", "\r\n"),
           ("Content-Type", ": "), ("text/plain", "\r\nContent-Length: "), ("5", "\r\n\r\n"), ("hello", "")]
RESPONSE = [("SIP/2.0", " "), ("200", " "), ("OK", "\r\nVia: "), ("{via}", "\r\nFrom: "), ("{from}", "\r\nTo: "), ("<sip:x@y>", ";tag="),
            ("9", "\r\nCall-ID: "), ("{call_id}", "\r\nCSeq: "), ("{cseq}", "\r\nRetry-After: "), ("1", "\r\nWWW-Authenticate: "),
            ('Digest realm="r", nonce="n", qop="auth"', "\r\nContact: "), ("<sip:a@b>", ";expires="), ("1", "\r\nContent-Length: "), ("0", "\r\n\r\n")]


def messages(template, **values):
    """The octets of each; {mark} becomes the number of the message."""
    count = 0
    for at in range(len(template)):
        for anomaly in ANOMALIES:
            for form in ("{a}", "{a}{v}", "{v}{a}"):
                count += 1
                text = "".join((form.replace("{v}", v).replace("{a}", anomaly) if i == at else v) + end
                               for i, (v, end) in enumerate(template))
                for name, value in {"mark": str(count), **values}.items():
                    text = text.replace("{" + name + "}", value)
                yield text.encode("latin-1")
