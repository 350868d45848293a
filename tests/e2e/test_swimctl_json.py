#!/usr/bin/env python3
"""What swimctl prints with --json, of every verb, against the schema that documents it."""

import json
import os
import subprocess
import unittest

import swimctltest
import swimtest
from swimctltest import FAILURE, PARTIAL, SWIMCTL, UNREACHABLE, USAGE
from swimtest import load_tests  # noqa: F401

try:
    import jsonschema
except ImportError:
    jsonschema = None


def load(name):
    with open(os.path.join(swimtest.ROOT, "docs", name), encoding="utf-8") as file:
        return json.load(file)


@unittest.skipUnless(jsonschema, "python3-jsonschema is not there")
class Schema(swimctltest.CtlCase):
    side_by_side = True

    def setUp(self):
        super().setUp()
        self.schema = load("swimctl.schema.json")
        jsonschema.Draft202012Validator.check_schema(self.schema)
        self.store = {name: load(name) for name in ("swimctl.schema.json", "events.schema.json")}
        self.verbs = set()

    def validate(self, value, definition):
        resolver = jsonschema.RefResolver("swimctl.schema.json", self.schema, store=self.store)
        jsonschema.Draft202012Validator(
            {"$ref": f"swimctl.schema.json#/$defs/{definition}"}, resolver=resolver).validate(value)

    def held(self, node, verb, *arguments, **options):
        """What a verb prints, which is as the schema says."""
        value = self.ctl_json(node, verb, *arguments, **options)
        self.validate(value, verb)
        self.verbs.add(verb)
        return value

    def test_every_verb(self):
        one = self.controlled()
        two = self.controlled()
        self.held(one, "join", two.addr)
        self.await_all_alive([one, two], 10)
        other = two.self_id()
        self.held(one, "ping", other)
        self.held(one, "ping", other, "1", code=PARTIAL)
        self.held(one, "rtt")
        self.held(one, "rtt", other)
        for verb in ("members", "info", "tags", "top", "metrics", "debug", "version", "help",
                     "keygen"):
            self.held(one, verb)
        self.held(one, "tags", "set", "role=db")
        for line in self.ctl(one, "monitor", "--json", "--since", "0", "--count", "1").splitlines():
            self.validate(json.loads(line), "monitor")
            self.verbs.add("monitor")
        two.kill()
        self.held(one, "force-leave", other, "1", code=PARTIAL)
        self.held(one, "leave")
        self.keys()
        every = {verb["verb"] for verb in self.ctl_json(None, "help")["verbs"]}
        self.assertEqual(self.verbs, every)
        self.assertLessEqual(every, set(self.schema["$defs"]))

    def keys(self):
        path = self.file("key", self.ctl(None, "keygen"))
        os.chmod(path, 0o600)
        node = self.controlled("--cluster-key-file", path)
        self.held(node, "keys", "list")
        self.held(node, "keys", "install", stdin=self.ctl(None, "keygen"))
        self.held(node, "info")
        self.held(node, "debug")

    def test_failures(self):
        one = self.controlled()
        for node, arguments, code in (
                ("/nowhere", ["info"], UNREACHABLE), ("/nowhere", ["ping", "x"], UNREACHABLE),
                (one, ["frob"], USAGE), (one, ["members", "--status", "x"], USAGE),
                (one, ["keys", "list"], FAILURE), (one, ["force-leave", "1"], FAILURE)):
            done = subprocess.run([SWIMCTL, "--json", "--socket",
                                   node if isinstance(node, str) else node.control, *arguments],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, code, arguments)
            said = json.loads(done.stderr)
            self.validate(said, "error")
            self.assertEqual(said["code"], code)
            if arguments[0] not in ("ping", "force-leave"):
                self.assertEqual(done.stdout, "")

    def test_the_schema_is_not_empty(self):
        """It must be able to fail."""
        member = self.ctl_json(self.controlled(), "members")
        member["members"][0]["surprise"] = 1
        with self.assertRaises(jsonschema.ValidationError):
            self.validate(member, "members")


if __name__ == "__main__":
    swimtest.main()
