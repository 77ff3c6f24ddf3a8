"""SOAP clients that people really use import the WSDLs that the service serves, over HTTP, and call every operation:
good calls, refused ones, texts that must be escaped and encoded, CDATA sections where the stack can send them. What a
fault says must arrive in that client's own exception, and what went over the wire must fit the WSDLs' schemas by the
word of another program (xmllint).

usage: interop_test.py STACK                               (stacks.py tells which there are)

A client is a program that takes a JSON object on standard input, {"wsdl": {service: URL}, "calls": [{"service",
"operation", "parameters", "cdata"}]}, and prints a list with an object for each call: {"done": true, "answer"} or
{"done": false, "faultcode", "faultstring", "detail"}.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from lxml import etree

import end_to_end
import soap_client
import stacks
from invited_service import NO_RATES, Service
from recording_relay import RecordingRelay
from world import SERVICES, World

NAMES = {"xsd": "http://www.w3.org/2001/XMLSchema", "s": soap_client.SOAP_11}


class ClientTest(unittest.TestCase):
    STACK = None
    maxDiff = None

    def run_client(self, world, calls, folder):
        command, environment = self.STACK.prepare(folder, world.wsdl)
        question = {"wsdl": world.wsdl, "calls": [call.question() for call in calls]}
        result = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, timeout=120,
                                env={**os.environ, **environment}, cwd=folder, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        answers = json.loads(result.stdout)
        self.assertEqual(len(answers), len(calls), answers)
        return answers

    def check_answer(self, call, answer):
        if not call.fault:
            self.assertEqual(answer, {"done": True, "answer": call.answer})
            return
        self.assertFalse(answer["done"], answer)
        self.assertTrue(answer["faultcode"].endswith("Client"), answer)
        self.assertGreater(len(answer["faultstring"]), 20, answer)
        self.assertIn(call.fault, answer["detail"])
        self.assertIn(call.about, answer["detail"])

    def check_wire(self, world, calls, exchanges, folder):
        """Every WSDL was fetched, every call sent; CDATA where it was asked for; all of it valid."""
        fetched = {exchange.target for exchange in exchanges if exchange.method == "GET"}
        self.assertGreaterEqual(fetched, {f"/ws/{path}/soap1?wsdl" for path in SERVICES.values()})
        posts = [exchange for exchange in exchanges if exchange.method == "POST"]
        self.assertEqual(len(posts), len(calls))
        self.assertEqual(sum(b"<![CDATA[" in post.request.body for post in posts), sum(call.cdata for call in calls))
        for service, path in SERVICES.items():
            self.check_schema(world.service, path, [post for post in posts if post.target == f"/ws/{path}/soap1"],
                              folder / service)

    def check_schema(self, service, path, posts, folder):
        folder.mkdir()
        wsdl = etree.fromstring(service.request("GET", f"/ws/{path}/soap1?wsdl").body)
        schema = folder / "schema.xsd"
        schema.write_bytes(etree.tostring(wsdl.xpath("//xsd:schema", namespaces=NAMES)[0], with_tail=False))
        files = []
        for number, post in enumerate(posts):
            for kind, message in (("request", post.request), ("answer", post.response)):
                contents = etree.fromstring(message.body).xpath("/s:Envelope/s:Body/*[not(self::s:Fault)]",
                                                                namespaces=NAMES)
                for element in contents:
                    files.append(folder / f"{number}-{kind}.xml")
                    files[-1].write_bytes(etree.tostring(element, with_tail=False))
        self.assertGreater(len(files), len(posts), "requests, and answers that are no faults")
        result = subprocess.run(["xmllint", "--noout", "--schema", schema, *files], capture_output=True, text=True,
                                timeout=60, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)

    def report(self, exchanges):
        """What a reader of the log wants to know about this stack's dialect."""
        first = next(exchange.request for exchange in exchanges if exchange.method == "POST")
        names = ("content-type", "soapaction", "user-agent", "transfer-encoding", "expect", "connection", "upgrade")
        headers = ", ".join(f"{name}: {first.headers[name]}" for name in names if name in first.headers)
        print(f"{self.STACK.version()}\n  {first.start}; {headers}\n  {first.body[:400].decode('utf-8', 'replace')}",
              file=sys.stderr)

    def test_it_imports_the_wsdls_calls_every_operation_and_understands_refusals(self):
        relay = RecordingRelay()
        settings = {**NO_RATES, "public_url": f"http://127.0.0.1:{relay.port}"}
        with Service.serve(settings) as service, tempfile.TemporaryDirectory(prefix="invited-interop-") as scratch:
            relay.start(service.port)
            folder = pathlib.Path(scratch)
            world = World(service)
            calls = world.calls(self.STACK.cdata)
            answers = self.run_client(world, calls, folder)
            exchanges = relay.end()
            self.report(exchanges)
            for call, answer in zip(calls, answers):
                with self.subTest(str(call)):
                    self.check_answer(call, answer)
            invited = [call.parameters["InviteeEmailAddress"] for call in calls
                       if call.operation == "SendInvite" and not call.fault]
            for invitee in invited:
                world.await_invitation(invitee)
            self.assertEqual(len(service.cli("invitation", "list")), len(invited))
            self.check_wire(world, calls, exchanges, folder)


if __name__ == "__main__":
    ClientTest.STACK = stacks.find(sys.argv.pop(1))
    end_to_end.main()
