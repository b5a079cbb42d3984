"""XML signed and encrypted by the tool xmlsec1, whose cryptography is OpenSSL's, for what takes it.  [XMLDSIG], [XMLENC]."""

SIGN, WRAP = bytes(range(32)), bytes(range(32, 64))


def key_files(bench):
    for name, key in (("sign", SIGN), ("wrap", WRAP)):
        with open(bench.path(name), "wb") as f:
            f.write(key)
    return bench.write("xml.keys", SIGN.hex() + WRAP.hex() + "\n", 0o600)


def saved(bench, name, octets):
    with open(bench.path(name), "wb") as f:
        f.write(octets)
    return bench.path(name)


XMLDSIG, XMLENC = "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/04/xmlenc#"
SIGNATURE = (f'<Signature xmlns="{XMLDSIG}"><SignedInfo><CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
             '<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"/><Reference URI=""><Transforms>'
             f'<Transform Algorithm="{XMLDSIG}enveloped-signature"/></Transforms><DigestMethod Algorithm="{XMLENC}sha256"/>'
             "<DigestValue/></Reference></SignedInfo><SignatureValue/><KeyInfo><KeyName>ppg</KeyName></KeyInfo></Signature>")
DATA = (f'<EncryptedData xmlns="{XMLENC}"><EncryptionMethod Algorithm="{XMLENC}aes%(bits)d-cbc"/><KeyInfo xmlns="{XMLDSIG}">'
        f'<EncryptedKey xmlns="{XMLENC}"><EncryptionMethod Algorithm="{XMLENC}kw-aes256"/><KeyInfo xmlns="{XMLDSIG}"><KeyName>ppg</KeyName>'
        "</KeyInfo><CipherData><CipherValue/></CipherData></EncryptedKey></KeyInfo><CipherData><CipherValue/></CipherData>"
        "</EncryptedData>")
PROPERTIES = "<EncryptionProperties><EncryptionProperty>%s</EncryptionProperty></EncryptionProperties></EncryptedData>"


class Maker:
    """Encrypts and signs under the keys of key_files()."""

    def __init__(self, bench):
        self.bench, self.made = bench, 0
        self.keys = key_files(bench)

    def file(self, octets):
        self.made += 1
        return saved(self.bench, f"made{self.made}", octets)

    def encrypt(self, entity, bits=256):
        out = self.file(b"")
        self.bench.tool("xmlsec1", "--encrypt", "--session-key", f"aes-{bits}", "--aeskey:ppg", self.bench.path("wrap"), "--binary-data",
                        self.file(entity), "--output", out, self.file((DATA % {"bits": bits}).encode()))
        with open(out, encoding="utf-8") as f:
            return f.read()

    def sign(self, document, key="sign"):
        out = self.file(b"")
        self.bench.tool("xmlsec1", "--sign", "--hmackey:ppg", self.bench.path(key), "--output", out, self.file(document.encode()))
        with open(out, "rb") as f:
            return f.read()

    def object(self, octets, bits=256, key="sign", mime_type=None):
        """An EncryptedData with its signature in it: encrypted, then signed.  mime_type: the attribute as it is written."""
        data = self.encrypt(octets, bits)
        if mime_type is not None:
            data = data.replace("<EncryptedData ", f'<EncryptedData MimeType="{mime_type}" ')
        return self.sign(data.replace("</EncryptedData>", PROPERTIES % SIGNATURE), key)
