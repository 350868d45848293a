"""The ways to embed the library that README.md and docs/embedding.md tell, taken from there word for
word, against an installed library. Run by tools/check-install with PREFIX, where it is (as the
compiler sees it), PKG_CONFIG_PATH and LD_LIBRARY_PATH.
"""
import os
import re
import signal
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
from swimtest import SwimTestCase, free_port, load_tests, main, spawn, wait_until  # noqa: E402


def page(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as text:
        return text.read()


class Documents(SwimTestCase):
    side_by_side = True

    def sh(self, command):
        """A line of a page, in a folder with README.md's program in it."""
        program = next(b for b in re.findall(r"```c\n(.*?)```", page("README.md"), re.S) if "main(" in b)
        self.file("member.c", program)
        done = subprocess.run(["sh", "-ec", command], cwd=self.directory, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""), command)

    def play(self, program="./member"):
        """Three of README.md's program see each other; one is killed, the others say so."""
        ports = [free_port() for _ in range(3)]
        terminals, processes, texts = [], [], [""] * 3
        for i, port in enumerate(ports):
            terminal, end = os.openpty()  # so that it prints line by line
            terminals.append(terminal)
            os.set_blocking(terminal, False)
            processes.append(spawn([os.path.join(self.directory, program), str(port),
                                    *map(str, ports[:i][:1])], stdout=end, stderr=end))
            os.close(end)
            self.addCleanup(os.close, terminal)
            self.addCleanup(processes[-1].wait)
            self.addCleanup(processes[-1].kill)

        def said(what, observers, subjects):
            def probe():
                for i in observers:
                    try:
                        texts[i] += os.read(terminals[i], 65536).decode()
                    except BlockingIOError:
                        pass
                return all(f"port {ports[s]}: {what}" in texts[o] for o in observers for s in subjects
                           if s != o), texts
            return probe
        wait_until(said("joined", range(3), range(3)), 10, "all see each other")
        processes[2].send_signal(signal.SIGKILL)
        wait_until(said("failed", range(2), [2]), 15, "the others say that it failed")

    def line(self, name, start):
        """The command that begins so on a page, told in a block or in the text."""
        found = re.search(re.escape(start) + r"[^`#\n]*", page(name))
        self.assertTrue(found, f"{name} has no command {start}")
        return found.group(0).strip()

    def test_readme(self):
        self.sh(self.line("README.md", "cc member.c -o member "))
        self.play()

    def test_embedding(self):
        self.sh(self.line("docs/embedding.md", "cc member.c -o member "))

    def test_static(self):
        command = self.line("docs/embedding.md", "cc member.c $(pkg-config --cflags --libs-only-L")
        self.sh(command + " -o static")
        needed = subprocess.run(["readelf", "-d", os.path.join(self.directory, "static")],
                                stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertNotIn("libswim", needed)
        self.play("static")

    def test_wholly_static(self):
        self.sh(self.line("docs/embedding.md", "cc -static member.c ") + " -o whole")
        self.play("whole")

    def test_meson_subproject(self):
        """Of the repository itself, without any other library."""
        text = page("docs/embedding.md")
        dependency = re.search(r"dependency\('swim', fallback: \[[^]]*\]\)", text).group(0)
        options = re.search(r"default_options: \['agent[^]]*\]", text).group(0)
        os.mkdir(os.path.join(self.directory, "subprojects"))
        os.symlink(ROOT, os.path.join(self.directory, "subprojects", "swim"))
        self.file("meson.build", "project('mine', 'c', default_options: ['c_std=gnu11'])\n"
                  f"swim = {dependency[:-1]}, {options[:-1]}, 'seal=false'])\n"
                  "executable('member', 'member.c', dependencies: swim)\n")
        self.sh("env -u PKG_CONFIG_PATH meson setup build >meson.log 2>&1 || { cat meson.log; false; }\n"
                "ninja -C build member >ninja.log 2>&1 || { cat ninja.log; false; }")
        self.play("build/member")


if __name__ == "__main__":
    main()
