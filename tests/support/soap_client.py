"""SendInvite by hand: the envelope as text, the answer taken apart by XPath. No SOAP library, so that nothing is
smoothed over."""

from xml.sax.saxutils import escape

from lxml import etree

import web_client

PATH = "/ws/InviteAPI/1/soap1"
SERVICE_NAMESPACE = "http://www.example.com/"
FAULT_NAMESPACE = "urn:invited:faults:1"
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
ORDER = ("EnvironmentUUID", "EnvironmentPassword", "RoleUUID", "InviteeEmailAddress", "InviterEmailAddress")


def envelope(parameters, soap=SOAP_11, operation="SendInvite"):
    names = [name for name in ORDER if name in parameters] + [name for name in parameters if name not in ORDER]
    children = "".join(f"<{name}>{escape(parameters[name])}</{name}>" for name in names)
    return (f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{soap}" '
            f'xmlns:tns="{SERVICE_NAMESPACE}"><soap:Body><tns:{operation}>{children}</tns:{operation}></soap:Body>'
            f"</soap:Envelope>")


def soap_headers(soap=SOAP_11):
    if soap == SOAP_12:
        return {"Content-Type": "application/soap+xml; charset=utf-8"}
    return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"http://www.example.com/SendInvite"'}


class SoapAnswer:
    """`fault` is false for a good answer; else `code`, `message` and the members of `detail` say what went wrong."""

    def __init__(self, response):
        self.response = response
        self.status = response.status
        self.root = etree.fromstring(response.body)
        self.soap = etree.QName(self.root).namespace
        names = {"s": self.soap}
        faults = self.root.xpath("/s:Envelope/s:Body/s:Fault", namespaces=names)
        self.fault = bool(faults)
        if not self.fault:
            self.result = self.root.xpath("/s:Envelope/s:Body/*", namespaces=names)
            return
        fault = faults[0]
        if self.soap == SOAP_12:
            self.fault_code = fault.xpath("string(s:Code/s:Value)", namespaces=names)
            self.message = fault.xpath("string(s:Reason/s:Text)", namespaces=names)
            details = fault.xpath("s:Detail/*", namespaces=names)
        else:
            self.fault_code = fault.xpath("string(faultcode)")
            self.message = fault.xpath("string(faultstring)")
            details = fault.xpath("detail/*")
        # Beside our element there may be others; programs look for ours by its name.
        names = {"f": FAULT_NAMESPACE}
        ours = next((element for element in details if element.tag == f"{{{FAULT_NAMESPACE}}}Fault"), None)
        assert ours is not None, response.body
        self.code = ours.xpath("string(f:Code)", namespaces=names)
        self.parameter = ours.xpath("string(f:Parameter)", namespaces=names)
        seconds = ours.xpath("string(f:RetryAfterSeconds)", namespaces=names)
        self.retry_after = int(seconds) if seconds else None

    def __repr__(self):
        return f"<{self.status} {self.response.body.decode('utf-8', 'replace')}>"


def post(port, body, soap=SOAP_11, headers=None, path=PATH, **options):
    return SoapAnswer(web_client.request(port, "POST", path, body, {**soap_headers(soap), **(headers or {})}, **options))


def send_invite(port, parameters, soap=SOAP_11, headers=None, **options):
    return post(port, envelope(parameters, soap), soap, headers, **options)
