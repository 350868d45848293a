#!/usr/bin/env python3
"""The shells' completions of swimctl, in the shells themselves, with a live daemon behind them."""

import os
import shutil
import subprocess
import unittest

import swimctltest
import swimtest
from swimctltest import SWIMCTL
from swimtest import load_tests  # noqa: F401

FOLDER = os.path.join(swimtest.ROOT, "completions")
BASH = r"""
source "$1/swimctl.bash"
COMP_LINE=$2 COMP_POINT=${#2}
_swimctl
printf '%s\n' "${COMPREPLY[@]}"
"""
ZSH = r"""
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell "PATH=$4:\$PATH; TERM=dumb; PS1='>'; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; LISTMAX=1000; stty cols 200; setopt list_rows_first; PS1='ready>'"
zpty -r -m shell text '*ready>*' || exit 1
zpty -w -n shell "$2"$'\t'
zpty -r -m shell text "*$3*"
"""


class Completion(swimctltest.CtlCase):
    side_by_side = True

    def bin(self):
        """A folder in which swimctl is found by its name."""
        folder = os.path.join(self.directory, "bin")
        if not os.path.isdir(folder):
            os.mkdir(folder)
            os.symlink(SWIMCTL, os.path.join(folder, "swimctl"))
        return folder

    def environment(self, node):
        return swimctltest.environment(SWIM_SOCKET=node.control if node else "/nowhere",
                                       PATH=self.bin() + ":" + os.environ["PATH"],
                                       HOME=self.directory, XDG_CONFIG_HOME=self.directory,
                                       XDG_DATA_HOME=self.directory, TERM="dumb")

    def bash(self, node, line):
        done = subprocess.run(["bash", "-c", BASH, "bash", FOLDER, line], capture_output=True,
                              text=True, env=self.environment(node), cwd=self.directory,
                              timeout=30, check=False)
        self.assertEqual(done.stderr.replace(
            "bash: line 0: compopt: not currently executing completion function\n", ""), "")
        return sorted(word for word in done.stdout.split("\n") if word)

    def fish(self, node, line):
        done = subprocess.run(["fish", "--no-config", "-c",
                               f'source "{FOLDER}/swimctl.fish"; complete --do-complete="{line}"'],
                              capture_output=True, text=True, env=self.environment(node),
                              cwd=self.directory, timeout=30, check=False)
        self.assertEqual(done.stderr, "")
        return sorted(word.split("\t")[0] for word in done.stdout.splitlines())

    def zsh(self, node, line, pattern):
        """The line is typed, and tab: zsh must then show what has the pattern."""
        done = subprocess.run(["zsh", "-f", "-c", ZSH, "zsh", FOLDER, line, pattern, self.bin()],
                              capture_output=True, text=True, env=self.environment(node),
                              cwd=self.directory, timeout=20 * swimtest.FACTOR, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def pair(self):
        """Two nodes; returns the first, and their names."""
        one = self.controlled(name="alpha-1")
        two = self.controlled(peers=[one], name="beta-22")
        self.await_all_alive([one, two], 10)

        def is_named():
            return all(m.get("name") for m in self.ctl_json(one, "members")["members"])

        swimtest.wait_until(is_named, 5, "it has heard the other's name")
        return one, ["alpha-1", "beta-22"]

    def check(self, complete):
        one, names = self.pair()
        self.assertEqual(complete(one, "swimctl mem"), ["members"])
        self.assertLessEqual({"members", "keys", "top"}, set(complete(one, "swimctl ")))
        self.assertEqual(complete(one, "swimctl ping "), names)
        self.assertEqual(complete(one, "swimctl --json ping al"), ["alpha-1"])
        self.assertEqual(complete(one, "swimctl keys "), ["install", "list", "remove", "use"])
        self.assertEqual(complete(one, "swimctl members --st"), ["--status"])
        self.assertEqual(complete(one, "swimctl members --status s"), ["suspect"])
        self.assertIn("--json", complete(one, "swimctl info --"))
        self.ctl(one, "tags", "set", "role=db", "rack=7")
        self.assertEqual(complete(one, "swimctl tags delete r"), ["rack", "role"])
        self.assertEqual(complete(one, "swimctl members --tag ro"), ["role=db"])
        self.file("a-key-file", "")
        self.assertEqual(complete(one, "swimctl keys install --key-file a-k"), ["a-key-file"])
        self.assertEqual(complete(None, "swimctl ping "), [], "no daemon: nothing, and no noise")
        self.assertEqual(complete(None, f"swimctl --socket {one.control} ping "), names)

    def test_bash(self):
        self.check(self.bash)
        one, _ = self.pair()
        self.assertEqual(self.bash(one, "swimctl members --status=a"), ["alive"],
                         "what is behind a word break of bash's")

    @unittest.skipUnless(shutil.which("fish"), "needs fish")
    def test_fish(self):
        self.check(self.fish)

    @unittest.skipUnless(shutil.which("zsh"), "needs zsh")
    def test_zsh(self):
        one, names = self.pair()
        self.zsh(one, "swimctl mem", "swimctl members ")
        self.zsh(one, "swimctl ping al", "alpha-1 ")
        self.zsh(one, "swimctl ping \t", "alpha-1*beta-22")
        self.zsh(one, "swimctl members --status s", "suspect")

    def test_by_itself(self):
        """What the shells ask for."""
        one, names = self.pair()

        def ask(*words):
            return [line.split("\t")[0]
                    for line in self.ctl(None, "--complete", *words,
                                         env=self.environment(one)).splitlines()]

        self.assertEqual(ask("members"), names)
        self.assertIn("members", ask("verbs"))
        self.assertEqual(ask("keys"), [])
        self.assertEqual(ask("line", "members", "--status=al"), ["--status=alive"])
        self.assertEqual(ask("line", "debug", ""), [":files"])
        self.assertEqual(ask("line"), ask("verbs"))
        self.assertEqual(ask("line", "no-verb", ""), ask("verbs"))
        self.assertEqual(ask("nothing-known"), [])


if __name__ == "__main__":
    swimtest.main()
