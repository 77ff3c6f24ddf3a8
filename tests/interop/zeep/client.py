"""Calls every operation through zeep; ../interop_test.py says what goes in and out."""

import json
import sys

import zeep
from lxml import etree


class InCData(zeep.Plugin):
    """Puts every parameter into a CDATA section."""

    def egress(self, envelope, http_headers, operation, binding_options):
        for element in envelope.iter(tag=etree.Element):
            if element.text and not len(element):
                element.text = etree.CDATA(element.text)
        return envelope, http_headers


def plain(answer):
    """zeep's objects as JSON knows them; a wrapper that has just one member is left out by zeep itself."""
    answer = zeep.helpers.serialize_object(answer, dict)
    if isinstance(answer, dict) and "UserProfile_Company" in answer:
        expected = ("OpenId", "DisplayName", "EmailAddress", "JobTitle", "Department", "Location", "Bio", "Website",
                    "Phone", "Skype", "CompanyId", "Company")
        return {**{name: answer[name] for name in expected},
                "UserProfile_Company": answer["UserProfile_Company"]["Company"]}
    return answer


def make(call):
    client = clients[call["service"], call["cdata"]]
    try:
        return {"done": True, "answer": plain(client.service[call["operation"]](**call["parameters"]))}
    except zeep.exceptions.Fault as fault:
        return {"done": False, "faultcode": fault.code, "faultstring": fault.message,
                "detail": etree.tostring(fault.detail, encoding="unicode")}


question = json.load(sys.stdin)
clients = {(service, cdata): zeep.Client(url, plugins=[InCData()] if cdata else [])
           for service, url in question["wsdl"].items() for cdata in (False, True)}
print(json.dumps([make(call) for call in question["calls"]]))
