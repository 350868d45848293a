"""The layout of every structure is the compiler's, and a library of another version is refused."""
import ctypes
import os
import shlex
import subprocess
import sys
import tempfile
import unittest
from typing import Any, Dict, List

from swim import _abi

VERSION = (_abi.SWIM_VERSION_MAJOR, _abi.SWIM_VERSION_MINOR, _abi.SWIM_VERSION_PATCH)
HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.dirname(HERE)


def flags() -> List[str]:
    """Where the headers are: those installed, else the repository's."""
    done = subprocess.run(["pkg-config", "--cflags", "swim"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    if done.returncode == 0:
        return shlex.split(done.stdout.decode())
    return ["-I" + os.path.join(PACKAGE, "..", "..", "include")]


class Abi(unittest.TestCase):
    def compile(self, source: str, output: str, *options: str) -> None:
        """Compiles C from a text."""
        subprocess.run(["cc", "-std=c11", *flags(), *options, "-xc", "-", "-o", output],
                       input=source.encode(), check=True)

    def test_layout(self) -> None:
        """Sizes, offsets, sizes of fields, constants."""
        wanted: Dict[str, int] = {}
        for structure in _abi.STRUCTURES:
            name = structure.__name__
            wanted[f"sizeof(struct {name})"] = ctypes.sizeof(structure)
            for field in structure._fields_:
                info: Any = getattr(structure, field[0])
                wanted[f"offsetof(struct {name}, {field[0]})"] = info.offset
                wanted[f"sizeof(((struct {name} *)0)->{field[0]})"] = info.size
        for key, value in vars(_abi).items():
            if key.startswith("SWIM_"):
                wanted[key] = value
        for kind, prefix in ((_abi.Status, ""), (_abi.EventKind, "EVENT_"), (_abi.Order, "ORDER_"),
                             (_abi.MetaProblem, "META_"), (_abi.KeyProblem, "KEY_")):
            wanted.update({f"SWIM_{prefix}{item.name}": item.value for item in kind})
        for kind, prefix in ((_abi.Drop, ""), (_abi.SealDrop, "SEAL_")):
            wanted.update({f"SWIM_{prefix}{'' if item.value == 0 else 'DROP_'}{item.name}": item.value
                           for item in kind})
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "layout")
            lines = "".join(f'printf("%llu\\n", (unsigned long long)({e}));' for e in wanted)
            self.compile("#include <stddef.h>\n#include <stdio.h>\n#include <swim/seal.h>\n"
                         f"int main(void) {{ {lines} return 0; }}", program)
            out = subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout.decode()
        found = dict(zip(wanted, map(int, out.split())))
        self.assertEqual(found, wanted)
        self.assertGreater(len(wanted), 200)

    def test_version(self) -> None:
        """The package's is the headers'."""
        with open(os.path.join(PACKAGE, "pyproject.toml"), encoding="utf-8") as file:
            version = f'version = "{".".join(map(str, VERSION))}"\n'
            self.assertIn(version, file.read())

    def load(self, library: str) -> str:
        """What an import with this library says."""
        done = subprocess.run([sys.executable, "-c", "import swim; print('loaded')"],
                              env=dict(os.environ, SWIM_LIBRARY=library, PYTHONPATH=PACKAGE),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.stdout.decode()

    def test_other_libraries_are_refused(self) -> None:
        """None, one of another version, and one that lacks a function."""
        names = [n for n in _abi.FUNCTIONS if not n.startswith(("swim_seal_", "swim_key_"))]
        self.assertIn("SWIM_LIBRARY", self.load("/nonexistent/libswim.so"))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "libother.so")
            for version, names_there, said in (("9.0.0", names, "the library is 9.0.0"),
                                               ("0.1.0", names[:-1], f"has no {names[-1]}")):
                stubs = "".join(f"void {n}(void) {{}}\n" for n in names_there if n != "swim_version")
                self.compile(f'const char *swim_version(void) {{ return "{version}"; }}\n{stubs}',
                             path, "-shared", "-fPIC")
                self.assertIn(said, self.load(path))


if __name__ == "__main__":
    unittest.main()
