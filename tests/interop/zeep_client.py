"""Calls SendInvite through zeep; see interop_test.py for what goes in and out."""

import json
import sys

import zeep
from lxml import etree

question = json.load(sys.stdin)
client = zeep.Client(question["wsdl"])
try:
    answer = client.service.SendInvite(**question["parameters"])
    assert answer is None, answer
    print(json.dumps({"done": True}))
except zeep.exceptions.Fault as fault:
    print(json.dumps({"done": False, "faultcode": fault.code, "faultstring": fault.message,
                      "detail": etree.tostring(fault.detail, encoding="unicode")}))
