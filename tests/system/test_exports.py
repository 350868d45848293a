#!/usr/bin/env python3
"""The shared libraries show what their headers offer: those functions, all of them, no others."""

import os
import re
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ["BUILD"]
LIBRARIES = {"libswim.so": "swim.h", "libswim-seal.so": "seal.h"}
VERSION = "SWIM_0"


def exported(library):
    """{name: (type, version)} of what a program can link to."""
    done = subprocess.run(["nm", "-D", "--defined-only", os.path.join(BUILD, library)],
                          capture_output=True, text=True, check=True)
    found = {}
    for line in done.stdout.splitlines():
        _, kind, name = line.split()
        name, _, version = name.partition("@@")
        if kind != "A":
            found[name] = (kind, version)
    return found


def declared(header):
    """Functions of the header with default visibility, as the compiler sees them."""
    with tempfile.TemporaryDirectory() as folder:
        source, listing = os.path.join(folder, "x.c"), os.path.join(folder, "x.list")
        with open(source, "w", encoding="utf-8") as file:
            file.write(f"#include <swim/{header}>\n")
        subprocess.run(["gcc", "-std=c11", f"-I{ROOT}/include", "-fsyntax-only", "-aux-info",
                        listing, source], check=True)
        with open(listing, encoding="utf-8") as file:
            return set(re.findall(r"/swim/%s:\d+:\w+ \*/.*?\b(\w+) \(" % re.escape(header),
                                  file.read()))


class Exports(unittest.TestCase):
    def test_functions_of_the_headers_and_no_others(self):
        for library, header in LIBRARIES.items():
            with self.subTest(library):
                names = declared(header)
                self.assertGreater(len(names), 10)
                self.assertEqual(set(exported(library)), names)

    def test_all_have_a_version(self):
        for library in LIBRARIES:
            with self.subTest(library):
                versions = {version for _, version in exported(library).values()}
                self.assertEqual(versions, {VERSION})

    def test_panic_can_be_replaced(self):
        self.assertEqual(exported("libswim.so")["swim_panic"], ("W", VERSION))

    def test_soname(self):
        for library in LIBRARIES:
            done = subprocess.run(["readelf", "-d", os.path.join(BUILD, library)],
                                  capture_output=True, text=True, check=True)
            self.assertIn(f"[{library}.0]", done.stdout)


if __name__ == "__main__":
    unittest.main()
