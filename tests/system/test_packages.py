#!/usr/bin/env python3
"""The Debian packaging says what the build makes: files, symbols, version, what it needs."""

import fnmatch
import json
import os
import re
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ["BUILD"]
DEBIAN = os.path.join(ROOT, "debian")
# In every Debian that builds packages, or what another one brings.
IMPLIED = {"gcc", "libc6-dev", "binutils", "ninja-build"}


def text_of(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def introspect(what):
    done = subprocess.run(["meson", "introspect", f"--{what}", BUILD], capture_output=True,
                          text=True, check=True)
    return json.loads(done.stdout)


def project_version():
    return introspect("projectinfo")["version"]


def installed():
    """Paths that `meson install` makes, as in a package: under usr, etc and lib."""
    prefix = next(option["value"] for option in introspect("buildoptions")
                  if option["name"] == "prefix")
    paths = {"etc/swim/swim.toml"}  # by a script
    for path in introspect("installed").values():
        path = os.path.relpath(path, prefix)
        path = "usr/" + path if not path.startswith("lib/systemd") else path
        paths.add(path)
    shared = [path for path in paths if re.search(r"\.so\.\d+\.\d+\.\d+$", path)]
    for path in shared:  # links are not listed
        stem = path.split(".so.")[0] + ".so"
        paths |= {stem, f"{stem}.{path.split('.so.')[1].split('.')[0]}"}
    return paths


def patterns():
    """{package: [pattern]}"""
    found = {}
    for name in sorted(os.listdir(DEBIAN)):
        if name.endswith(".install"):
            found[name[:-len(".install")]] = [line.split()[0] for line in text_of(
                "debian", name).splitlines() if line.strip()]
    return found


def left_out():
    """Patterns of what is deliberately in no package."""
    return [line for line in text_of("debian", "not-installed").splitlines()
            if line and not line.startswith("#")]


def matches(path, pattern):
    return fnmatch.fnmatch(path, pattern) or fnmatch.fnmatch(path, pattern + "/*")


class Packages(unittest.TestCase):
    def test_every_file_is_in_one_package(self):
        for path in sorted(installed()):
            with self.subTest(path):
                owners = [package for package, lines in patterns().items()
                          if any(matches(path, pattern) for pattern in lines)]
                owners += ["none" for pattern in left_out() if matches(path, pattern)]
                self.assertEqual(len(owners), 1, f"{path} is in {owners}")

    def test_every_line_names_something(self):
        paths = installed()
        for package, lines in patterns().items():
            for pattern in lines:
                with self.subTest(f"{package}: {pattern}"):
                    self.assertTrue(any(matches(path, pattern) for path in paths) or
                                    os.path.exists(os.path.join(ROOT, pattern)))

    def test_packages(self):
        names = re.findall(r"^Package: (\S+)", text_of("debian", "control"), re.M)
        self.assertEqual(names, ["libswim0", "libswim-dev", "swim"])
        self.assertLessEqual(set(patterns()), set(names))

    def test_version(self):
        version = project_version()
        first = text_of("debian", "changelog").splitlines()[0]
        self.assertRegex(first, rf"^swim \({re.escape(version)}\) ")
        self.assertIn(f"## [{version}]", text_of("CHANGELOG.md"))
        header = text_of("include", "swim", "swim.h")
        self.assertEqual(re.findall(r"#define SWIM_VERSION_\w+ (\d+)", header),
                         version.split("."))

    def test_symbols(self):
        """The symbol files name each library, by its soname, and each version of its symbols."""
        text = text_of("debian", "libswim0.symbols")
        told = {}
        for line in text.splitlines():
            if line.startswith("lib"):
                library = line.split()[0]
                self.assertEqual(line.split()[1], "libswim0")
                told[library] = set()
            elif line.startswith(" (symver)"):
                told[library].add(line.split()[0][len("(symver)"):])
        for library in ("libswim.so.0", "libswim-seal.so.0"):
            done = subprocess.run(["nm", "-D", "--defined-only", os.path.join(BUILD, library)],
                                  capture_output=True, text=True, check=True)
            versions = set(re.findall(r"@@(\S+)$", done.stdout, re.M))
            self.assertEqual(told[library], versions)

    def test_what_the_build_needs(self):
        listed = text_of("tools", "packages.txt").split("[build]")[1].split("[test]")[0]
        wanted = set(re.findall(r"^([a-z0-9][\w.+-]+)", listed, re.M)) - IMPLIED
        control = text_of("debian", "control")
        depends = re.search(r"^Build-Depends: (.*?)\n\n", control, re.M | re.S).group(1)
        named = {word.split()[0] for word in depends.replace("\n", " ").split(",")}
        self.assertEqual(wanted - named, set())

    def test_licence(self):
        words = lambda text: re.sub(r"\s\.\s", " ", " ".join(text.split()))
        licence = text_of("LICENSE").split("\n\n", 2)[2]
        copyright_ = re.sub(r"^ \.$", "", text_of("debian", "copyright"), flags=re.M)
        self.assertIn(words(licence), words(copyright_))

    def test_units_and_users_of_the_package(self):
        """dh finds them by their places."""
        paths = installed()
        self.assertIn("usr/lib/sysusers.d/swim.conf", paths)
        self.assertIn("usr/lib/tmpfiles.d/swim.conf", paths)


if __name__ == "__main__":
    unittest.main()
