"""An initiator of our own: PAP over one connection kept open, by Python's http.client, its documents by ElementTree, its
entities by the email package (an independent MIME library)."""

import email.message
import email.parser
import email.policy
import http.client
import re
import ssl
import xml.etree.ElementTree
import xml.sax.saxutils

from harness import check_eq

XML = "application/xml"
POLICY = email.policy.SMTP.clone(max_line_length=998)


def address(number):
    return f"WAPPUSH={number}/TYPE=PLMN@ppg.example.net" if number[:1] == "+" else number


def addresses(numbers):
    return "".join(f"<address address-value={xml.sax.saxutils.quoteattr(address(n))}/>" for n in numbers)


def query(kind, push_id, *numbers):
    return f"<pap><{kind} push-id={xml.sax.saxutils.quoteattr(push_id)}>{addresses(numbers)}</{kind}></pap>"


class Reply:
    """What http.client heard.  kind, push_id: of the message; results: (code, state or None, [addresses]) of each result in
    order; code: of the first."""

    def __init__(self, response):
        self.status, self.type, self.body = response.status, response.getheader("Content-Type"), response.read()
        document, self.parts = self.body, []
        if self.type.startswith("multipart/"):
            whole = b"Content-Type: " + self.type.encode() + b"\r\n\r\n" + self.body
            self.parts = email.parser.BytesParser(policy=POLICY).parsebytes(whole).get_payload()
            document = self.parts[0].get_payload(decode=True)
        self.message = xml.etree.ElementTree.fromstring(document)[0]
        self.kind, self.push_id = self.message.tag, self.message.get("push-id")
        results = [e for e in self.message.iter() if e.get("code")]
        self.results = [(int(e.get("code")), e.get("message-state"), [a.get("address-value") for a in e.iter("address")])
                        for e in results]
        self.code, self.desc = self.results[0][0], results[0].get("desc")

    def __repr__(self):
        return f"{self.status} {self.kind} {str(self.results)[:400]} {self.desc}"


class Client:
    """An initiator on one connection kept open."""

    def __init__(self, bench, gateway):
        context = ssl.create_default_context(cafile=bench.path("ca.crt"))
        context.load_cert_chain(bench.path("news.crt"), bench.path("news.key"))
        self.connection = http.client.HTTPSConnection("localhost", gateway.tls_port, timeout=60, context=context)
        bench.checks.insert(0, self.connection.close)  # before the gateway is asked to end

    def post(self, body, content_type=XML):
        self.connection.request("POST", "/pap", body if isinstance(body, bytes) else body.encode(),
                                {"Content-Type": content_type})
        return Reply(self.connection.getresponse())

    def cancel(self, push_id, *numbers):
        return self.answered(self.post(query("cancel-message", push_id, *numbers)), "cancel-response", push_id)

    def status(self, push_id, *numbers):
        return self.answered(self.post(query("statusquery-message", push_id, *numbers)), "statusquery-response", push_id)

    def push(self, push_id, to=("+15550100",), qos="", document="", headers=None, part="text/plain", extra=(), **attributes):
        """A submission put together by the email package."""
        control = document or control_of(push_id, to, qos, attributes)
        return self.answered(self.post(*entity([(XML, control.encode(), {}), (part, b"hi", headers or {}), *extra])),
                             "push-response", push_id)

    def answered(self, reply, kind, push_id):
        check_eq((reply.status, reply.kind, reply.push_id), (202, kind, push_id), reply)
        return reply


def control_of(push_id, to, qos, attributes):
    more = "".join(f" {k.replace('_', '-')}={xml.sax.saxutils.quoteattr(v)}" for k, v in attributes.items())
    return (f'<?xml version="1.0"?><pap><push-message push-id={xml.sax.saxutils.quoteattr(push_id)}{more}>{addresses(to)}{qos}'
            "</push-message></pap>")


def entity(parts):
    """(body, content type) of a multipart/related that the email package wrote."""
    whole = email.message.EmailMessage(policy=POLICY)
    whole["Content-Type"] = 'multipart/related; type="application/xml"'
    for content_type, octets, headers in parts:
        part = email.message.EmailMessage(policy=POLICY)
        part.set_content(octets, *content_type.split("/"), cte="base64" if content_type != XML else "8bit")
        for name, value in headers.items():
            part[name] = value
        whole.attach(part)
    octets = whole.as_bytes()
    head, _, body = octets.partition(b"\r\n\r\n")
    return body, re.sub(r"\s+", " ", email.parser.HeaderParser().parsestr(head.decode())["Content-Type"])
