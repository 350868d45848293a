#!/usr/bin/env python3
"""Manual pages and the example file: well-formed, and as the programs are."""

import glob
import json
import os
import re
import signal
import subprocess
import sys
import unittest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "e2e"))
sys.dont_write_bytecode = True

import swimtest  # noqa: E402
from swimtest import load_tests, run, wait_until  # noqa: E402,F401

ROOT = os.path.dirname(TESTS)
BUILD = os.environ["BUILD"]
EXAMPLE = os.path.join(ROOT, "docs", "swim.example.toml")


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def manuals():
    """Paths of all pages, as they are installed."""
    found = []
    for folder in (os.path.join(ROOT, "man"), os.path.join(BUILD, "man"),
                   os.path.join(BUILD, "man", "man3")):
        found += glob.glob(os.path.join(folder, "*.[1-9]"))
    return sorted(found)


def plain(path):
    """A page as it is read."""
    done = subprocess.run(["mandoc", "-Tutf8", "-O", "width=500", path], capture_output=True,
                          check=True)
    return re.sub(r".\x08", "", done.stdout.decode())


def section(page, title):
    """The lines of a section of plain text."""
    found = re.search(rf"^{re.escape(title)}\n(.*?)(?=^\S|\Z)", page, re.M | re.S)
    if not found:
        raise AssertionError(f"no section {title}")
    return found.group(1)


def help_flags(program):
    """Long options that a program's help begins a line with."""
    done = subprocess.run([os.path.join(BUILD, program), "--help"], capture_output=True, text=True,
                          check=True)
    lines = re.findall(r"^ +(--[a-z].*)", done.stdout, re.M)
    return {flag for line in lines for flag in re.findall(r"--[a-z][a-z-]+", line.split("  ")[0])}


def manual_flags(page):
    """Long options that a paragraph of the page's is about."""
    lines = re.findall(r"^ {7}(--[a-z].*|-[a-zA-Z], --.*)$", page, re.M)
    return {flag for line in lines for flag in re.findall(r"--[a-z][a-z-]+", line.split("  ")[0])}


class Pages(unittest.TestCase):
    def test_there_is_one_for_everything(self):
        names = {os.path.basename(path) for path in manuals()}
        self.assertLessEqual({"swimd.8", "swimctl.1", "swimsim.1", "swim.toml.5", "libswim.3",
                              "libswim-seal.3", "swim_init.3", "swim_seal_new.3"}, names)
        for header in ("swim.h", "seal.h"):
            text = text_of(os.path.join(ROOT, "include", "swim", header))
            functions = re.findall(r"^SWIM_API[^;]*?\b(swim_\w+)\(", text, re.M)
            self.assertGreater(len(functions), 10)
            for function in functions:
                self.assertIn(function + ".3", names)

    def test_functions_say_what_they_do(self):
        for path in glob.glob(os.path.join(BUILD, "man", "man3", "*.3")):
            page = plain(path)
            with self.subTest(os.path.basename(path)):
                self.assertNotRegex(section(page, "NAME"), r"a (function|type|constant) of libswim",
                                    "nothing stands above its declaration")
                self.assertTrue(section(page, "DESCRIPTION").strip())

    def test_mandoc_has_nothing_to_say(self):
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", *manuals()], capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.stdout + done.stderr, "")

    def test_links_say_where_things_are(self):
        pages = {os.path.basename(path): " ".join(plain(path).split()) for path in manuals()}
        for name, page in pages.items():
            with self.subTest(name):
                self.assertNotIn("](", page)
        for name, words in (("swim.toml.5", "See Events in swimd(8)"),
                            ("swim.toml.5", "see State in swimd(8)"),
                            ("swimd.8", "see Keys in swim.toml(5)"),
                            ("swimd.8", "see [tags] in swim.toml(5)"),
                            ("swimd.8", "swimctl(1) is made for it"),
                            ("swimctl.1", "Events in swimd(8) has the kinds")):
            if name in pages:
                self.assertIn(words, pages[name], name)

    def test_version(self):
        version = re.search(r"^  version: '([^']+)'", text_of(os.path.join(ROOT, "meson.build")),
                            re.M).group(1)
        for path in manuals():
            with self.subTest(os.path.basename(path)):
                self.assertRegex(text_of(path), rf'(?m)^\.TH \S+ [1-9] "[^"]*" "swim {version}"')

    def test_pages_refer_to_pages(self):
        known = {re.sub(r"\.(\d)$", r"(\1)", os.path.basename(path)) for path in manuals()}
        for path in manuals():
            page = plain(path)
            if "\nSEE ALSO\n" not in page:
                continue
            with self.subTest(os.path.basename(path)):
                named = re.findall(r"[\w.-]+\(\d\)", section(page, "SEE ALSO"))
                self.assertEqual([name for name in named if name not in known], [])


class Programs(unittest.TestCase):
    def pages(self):
        for program, page in (("swimd", "swimd.8"), ("swimctl", "swimctl.1")):
            paths = [path for path in manuals() if os.path.basename(path) == page]
            if paths:
                yield program, plain(paths[0])

    def test_flags(self):
        for program, page in self.pages():
            with self.subTest(program):
                flags = help_flags(program)
                self.assertGreater(len(flags), 3)
                self.assertEqual(manual_flags(page) & flags, flags, "in --help only")
        swimd = plain(os.path.join(BUILD, "man", "swimd.8"))
        self.assertEqual(manual_flags(section(swimd, "OPTIONS")), help_flags("swimd"))

    def test_exit_codes_of_swimd(self):
        done = run("--help")
        text = re.search(r"Exit codes: (.*?)\.$", done.stdout, re.M | re.S).group(1)
        in_help = {int(code) for code in re.findall(r"\b(\d) [a-z]", text)}
        in_source = {int(code) for code in re.findall(
            r"EXIT_CODE_\w+ = (\d)", text_of(os.path.join(ROOT, "src/agent/exit_code.h")))}
        page = section(plain(os.path.join(BUILD, "man", "swimd.8")), "EXIT STATUS")
        in_page = {int(code) for code in re.findall(r"^ {7}(\d) ", page, re.M)}
        self.assertEqual(in_help, in_source)
        self.assertEqual(in_page, in_source)

    def test_swimctl(self):
        """Verbs and exit codes, as the program and its documents have them."""
        done = subprocess.run([os.path.join(BUILD, "swimctl"), "help", "--json"],
                              capture_output=True, text=True, check=True)
        verbs = {verb["verb"] for verb in json.loads(done.stdout)["verbs"]}
        options = {"--" + option for verb in json.loads(done.stdout)["verbs"]
                   for option in verb["options"]}
        page = plain(os.path.join(BUILD, "man", "swimctl.1"))
        in_page = set(re.findall(r"^ {7}([a-z-]+)\b", section(page, "VERBS"), re.M))
        self.assertEqual({verb for verb in in_page if not verb.startswith("-")}, verbs)
        self.assertEqual(manual_flags(section(page, "VERBS")), options)
        in_source = {int(code) for code in re.findall(
            r"EXIT_CODE_\w+ = (\d)", text_of(os.path.join(ROOT, "src/ctl/exit_code.h")))}
        codes = re.findall(r"^ {7}(\d) ", section(page, "EXIT STATUS"), re.M)
        self.assertEqual({int(code) for code in codes}, in_source)


class Settings(swimtest.SwimTestCase):
    def complaint(self, text):
        done = run("--check-config", "--config", self.file("bad.toml", text))
        self.assertEqual(done.returncode, 3, done.stderr)
        return done.stderr

    def keys(self):
        """{section: [key]} as swimd's own table has them: it lists them when one is wrong."""
        found = {}
        sections = self.complaint("[no_such_section]\n").split("the sections are", 1)[1]
        for name in re.findall(r"\[(\w+)\]", sections):
            said = self.complaint(f"[{name}]\nno_such_key = 1\n")
            found[name] = re.findall(r"\w+", said.split("the keys here are", 1)[1]) \
                if "the keys here are" in said else []
        self.assertGreater(sum(len(keys) for keys in found.values()), 40)
        return found

    def paragraphs(self):
        """{section: {key: what swim.toml(5) says}}"""
        roff = text_of(os.path.join(BUILD, "man", "swim.toml.5"))
        body = re.search(r"^\.SH DESCRIPTION\n(.*?)^\.SH ", roff, re.M | re.S).group(1)
        parts = re.split(r"^\.SS \\fB\[(\w+)\]\\fR$", body, flags=re.M)
        clean = lambda text: re.sub(r"\\f[BRI]|\\(?=-)|\\&", "", " ".join(text.split()))
        return {name: {key: clean(text) for key, text in re.findall(
            r"^\.TP\n\\fB(\w+)\\fR\n(.*?)(?=^\.|\Z)", part, re.M | re.S)}
                for name, part in zip(parts[1::2], parts[2::2])}

    def test_every_key_has_its_paragraph(self):
        told, keys = self.paragraphs(), self.keys()
        self.assertEqual(set(told), set(keys))
        for name in keys:
            with self.subTest(name):
                self.assertEqual(set(keys[name]) - set(told[name]), set(), "not in swim.toml(5)")
                if keys[name]:
                    self.assertEqual(set(told[name]) - set(keys[name]), set(), "swimd knows no such")

    def example(self):
        """{section: {key: value as written}}"""
        found, name = {}, None
        for line in text_of(EXAMPLE).splitlines():
            head = re.fullmatch(r"(?:# )?\[(\w+)\]", line)
            pair = re.fullmatch(r"# (\w+) = (.*)", line)
            if head:
                name = head.group(1)
                found[name] = {}
            elif pair:
                found[name][pair.group(1)] = pair.group(2)
        return found

    def test_the_example_has_every_key(self):
        example = self.example()
        for name, keys in self.keys().items():
            with self.subTest(name):
                self.assertIn(name, example)
                if keys:
                    self.assertEqual(set(example[name]), set(keys))

    def test_the_example_has_the_defaults(self):
        """A member that runs with none of them sees no change when all are written down."""
        told, lines = self.paragraphs(), []
        for name, pairs in self.example().items():
            lines.append(f"[{name}]")
            for key, value in pairs.items():
                default = re.search(r"Default: (.*?)(?=\. Range:|\.$)", told[name].get(key, ""))
                # Where there is none, or it depends, the example shows a value.
                if not default or not re.fullmatch(r'[\d.,]+|true|false|"[^"]*"', default.group(1)):
                    continue
                wanted = re.sub(r"(?<=\d),(?=\d)", "", default.group(1))
                self.assertEqual(value, wanted, f"[{name}] {key}")
                lines.append(f"{key} = {value}")
        self.assertGreater(len(lines), 35)
        config = self.file("swim.toml", "")
        key = self.file("key", run("--generate-key").stdout)
        os.chmod(key, 0o600)  # some settings want one
        node = self.node("--config", config, "--cluster-key-file", key)
        node.await_http()
        self.file("swim.toml", "\n".join(lines) + "\n")
        node.signal(signal.SIGHUP)
        wait_until(lambda: (node.lines("SIGHUP:"), node.log()), 5, "it has read the file again")
        self.assertTrue(node.lines("SIGHUP: reloaded"), node.log())
        self.assertEqual(node.lines("setting changed"), [])
        # The port, which the node was given by a flag.
        self.assertEqual([line for line in node.lines("changes only by a restart")
                          if "server_port" not in line], [])


if __name__ == "__main__":
    unittest.main()
