#!/usr/bin/env python3
"""swimsim by its command line: runs and their repetition, scenario files good and bad, the library of
scenarios, what is written where, and exit codes."""

import glob
import json
import os
import re
import shlex
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SWIMSIM = os.path.abspath(os.environ.get("SWIMSIM", os.path.join(ROOT, "build", "swimsim")))
SCENARIOS = sorted(glob.glob(os.path.join(ROOT, "scenarios", "*.toml")),
                   key=lambda path: path[:-len(".toml")])
FACTOR = float(os.environ.get("SWIM_TIME_FACTOR", "1"))
FAILURE, USAGE, SCENARIO = 1, 2, 3
# More nodes times seconds than this are for `make evidence`, or for whoever asks for them.
QUICK = 40000


def swimsim(*arguments, code=0, cwd=ROOT, env=None, timeout=100):
    done = subprocess.run([SWIMSIM, *arguments], cwd=cwd, env=env, timeout=timeout * FACTOR,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True)
    if done.returncode != code:
        raise AssertionError(f"exit code {done.returncode}, not {code}, of {arguments}:\n"
                             f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done


def trace_hash(output):
    return re.search(r"^trace hash +([0-9a-f]{16})$", output, re.M).group(1)


def repetition(output):
    return shlex.split(re.search(r"^again +(.*)$", output, re.M).group(1))


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, text, name="test.toml"):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path


class Running(Case):
    def test_a_what_if(self):
        done = swimsim("run", "--nodes", "50", "--loss", "5%", "--kill", "2", "--for", "60s")
        self.assertIn("50 nodes", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^members +48 run at the end")
        self.assertRegex(done.stdout, r"(?m)^result +ok$")
        self.assertEqual(done.stderr, "")

    def test_the_command_that_it_prints_repeats_the_run(self):
        first = swimsim("--nodes", "9", "--loss", "10%", "--kill", "1@5s", "--start", "one by one",
                        "--for", "30s", "--seed", "random")
        words = repetition(first.stdout)
        self.assertEqual(words[0], SWIMSIM)
        again = swimsim(*words[1:])
        self.assertEqual(trace_hash(first.stdout), trace_hash(again.stdout))
        self.assertEqual(words, repetition(again.stdout))
        other = swimsim(*words[1:-1], str(int(words[-1]) + 1))
        self.assertNotEqual(trace_hash(first.stdout), trace_hash(other.stdout))

    def test_what_is_shown_does_not_change_the_run(self):
        arguments = ["run", "pause-a-fifth", "--nodes", "10", "--for", "30s"]
        plain = trace_hash(swimsim(*arguments).stdout)
        for more in (["--trace"], ["--trace", "--datagrams"], ["--no-checks"], ["--each-event"],
                     ["--progress"], ["--without", "silence"]):
            self.assertEqual(trace_hash(swimsim(*arguments, *more).stdout), plain, more)

    def test_json(self):
        done = swimsim("run", "kill-one-of-10", "--json")
        figures = json.loads(done.stdout)
        text = json.dumps(figures)
        self.assertIn("--seed 1", text)
        self.assertIn(trace_hash(swimsim("run", "kill-one-of-10").stdout), text)

    def test_plot(self):
        path = os.path.join(self.folder, "out.svg")
        swimsim("run", "kill-one-of-10", "--plot", path, "--quiet")
        root = xml.etree.ElementTree.parse(path).getroot()
        self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")

    def test_traces(self):
        path = os.path.join(self.folder, "trace.txt")
        told = swimsim("run", "kill-one-of-10", "--trace").stdout
        swimsim("run", "kill-one-of-10", f"--trace={path}", "--json")
        with open(path, encoding="utf-8") as trace:
            lines = trace.read()
        self.assertTrue(told.startswith(lines))
        self.assertRegex(lines, r"(?m)^ +10\.000  n\d +crashes$")
        self.assertEqual(len(re.findall(r" marks n\d dead ", lines)), 9)

    def test_quiet(self):
        done = swimsim("run", "kill-one-of-10", "--quiet")
        self.assertEqual((done.stdout, done.stderr), ("", ""))

    def test_progress(self):
        done = swimsim("run", "--nodes", "5", "--for", "10s", "--progress", "--quiet")
        self.assertRegex(done.stderr, r"^swimsim: [0-9.]+ of 10\.0 s, 5 members run, ")
        self.assertEqual(done.stdout, "")

    def test_expectations_that_are_not_met(self):
        done = swimsim("run", "kill-one-of-10", "--set", "expect.deaths_known_within=1s",
                       code=FAILURE)
        self.assertRegex(done.stdout, r"expect deaths_known_within = 1s: n\d stopped at 10\.0 s")
        done = swimsim("run", "kill-one-of-10", "--set", "expect.deaths_known_within=1s", "--quiet",
                       code=FAILURE)
        self.assertIn("deaths_known_within", done.stderr)
        self.assertIn("repeat with: ", done.stderr)
        swimsim("run", "kill-one-of-10", "--set", "expect.deaths_known_within=1s", "--no-checks")

    def test_actions_after_the_end_are_mentioned(self):
        done = swimsim("run", "kill-one-of-10", "--for", "5s", "--no-checks")
        self.assertIn("note: [[at]] number 1 (kill) comes after the end", done.stderr)

    def test_output_that_cannot_be_written(self):
        nowhere = os.path.join(self.folder, "no", "where")
        swimsim("run", "--for", "1s", f"--trace={nowhere}", code=USAGE)
        done = swimsim("run", "--for", "1s", "--plot", nowhere, code=FAILURE)
        self.assertIn(nowhere, done.stderr)
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([SWIMSIM, "run", "--for", "1s"], stdout=full, check=False,
                                  stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, FAILURE)
        self.assertIn(b"cannot be written", done.stderr)

    def test_help_and_version(self):
        self.assertIn("swimsim run --nodes 1000 --loss 5% --kill 10", swimsim("--help").stdout)
        self.assertRegex(swimsim("--version").stdout, r"^swimsim \d+\.\d+\.\d+\n$")


class Misuse(Case):
    def test_usage(self):
        for arguments, part in (
                ([], "--help"),
                (["run", "--bogus"], "no such flag: --bogus"),
                (["run", "--nodes", "0"], "--nodes 0: must be a whole number from 1"),
                (["run", "--loss", "150%"], "--loss 150%: must be a share"),
                (["run", "--kill", "4"], "from 1 to 3 nodes"),
                (["run", "--set", "probes.timeout_ms=5000"], "less than interval_ms"),
                (["run", "--set", "at.time=5s"], "no such key"),
                (["run", ""], "the scenario's name is empty; swimsim list"),
                (["run", "--plot", ""], "--plot: the name of the file is empty"),
                (["run", "one", "two"], "one word too many"),
                (["list", "it"], "one word too many")):
            done = swimsim(*arguments, code=USAGE)
            self.assertIn(part, done.stderr)
            self.assertTrue(done.stderr.startswith("swimsim: "))
            self.assertEqual(done.stdout, "")

    def test_scenarios_that_are_not_there(self):
        done = swimsim("run", "nonesuch", code=SCENARIO)
        self.assertIn("nonesuch: there is no such file", done.stderr)
        self.assertIn("swimsim list", done.stderr)
        swimsim("run", self.folder, code=SCENARIO)
        swimsim("run", os.path.join(self.folder, "none.toml"), code=SCENARIO)


# What a file says, and what the complaint must say: "LINE:COLUMN:" or "LINE:", then words.
BAD_FILES = [
    ('nodes = "3"', "1:9: nodes: must be a whole number from 1 to 200000, not a string"),
    ("nodes = 0", "1:9: nodes = 0: must be a whole number from 1 to 200000"),
    ("nodes = 3\nnodes = 4", "2:"),
    ("node = 3",
     "1:8: node: unknown key (did you mean nodes?); the keys here are title, seed, nodes, for"),
    ("for = 60", "1:7: for = 60: must be a time with its unit"),
    ('for = "60"', '1:7: for = "60": must be a time with its unit: "200ms"'),
    ("title = 5", "1:9: title: must be a string of one line"),
    ('title = "a\\nb"', "1:9: title"),
    ('title = "a\\u0000b"', "1:9: title"),
    ('plain = "20 %"', '1:9: plain = "20 %": must be nodes: "all"'),
    ("for = 60s", "1:7: this is no value: a text"),
    ("[link]\nloss = 5%", "2:8: this is no value: a text"),
    ("[bogus]\nx = 1", "1:1: bogus: unknown section; there are [start]"),
    ("[[bogus]]\nx = 1", "bogus: unknown section"),
    ("[at]\ntime = \"1s\"", "1:1: [at]: must be [[at]]"),
    ("[[link]]\nloss = \"1%\"", "link: unknown section"),
    ("[link]\nloss = 5", "2:8: [link] loss = 5: must be a share"),
    ("[link]\nloss = 0.05", "2:8: [link] loss: must be a share"),
    ('[link]\nloss = "5"', '2:8: [link] loss = "5": must be a share from "0%" to "100%"'),
    ('[link]\ndelay = "5ms..1ms"', '2:9: [link] delay = "5ms..1ms": must be a delay'),
    ("[probes]\ninterval_ms = 5", "2:15: [probes] interval_ms = 5: must be a whole number from 10"),
    ("[probes]\ninterval_ms = \"5\"", "2:15: [probes] interval_ms: must be a whole number"),
    ("[probes]\nbogus = 5", "2:9: [probes] bogus: unknown key; the keys here are interval_ms"),
    ("[probes]\ntimeout_ms = 1000", "[probes] timeout_ms = 1000: must be from 1 to 999"),
    ("[probes]\nsuspect_multiplier = 101.5", "2:22: [probes] suspect_multiplier = 101.500"),
    ("[lifeguard]\nnack = 1", "2:8: [lifeguard] nack: must be true or false, not a whole number"),
    ('[start]\nhow = "slowly"', '2:7: [start] how = "slowly": must be "acquainted"'),
    ('[start]\nseeds = "random 9"', "2:9: [start] seeds"),
    ("[start]\nclusters = 2", "several clusters cannot start acquainted"),
    ('[start]\nhow = "together"\nclusters = 2\nnames = "a"', '[start] names = "a": must be 2 of'),
    ('plain = "0"\n[start]\nnames = "a"', "[start] names: plain nodes can't say the name"),
    ('[[zone]]\nname = "a"\n[[zone]]\nname = "a"', "two of this name"),
    ("[[zone]]\nshare = 2", "[[zone]] number 1: name: must be given"),
    ('[[zone_link]]\nfrom = "a"', '2:8: [[zone_link]] from = "a": must be the name of a [[zone]]'),
    ('[[zone]]\nname = "a"\n[[zone_link]]\nfrom = "a"', "from and to must name zones"),
    ('[[at]]\ndo = "kill"', "1: [[at]] time: must be given"),
    ('\n[[at]]\ntime = "1s"', "2: [[at]] do: must be given"),
    ('[[at]]\ntime = "1s"\ndo = "explode"', '3:6: [[at]] do = "explode": must be "kill", "leave"'),
    ('[[at]]\ntime = "1s"\ndo = "kill"', "1: [[at]] number 1 (kill at 1s): who: must say"),
    ('[[at]]\ntime = "1s"\ndo = "kill"\nwho = "3"', "node 3 is not among the 3 nodes"),
    ('[[at]]\ntime = "1s"\ndo = "kill"\nwho = 3', "node 3 is not among"),
    ('[[at]]\ntime = "1s"\ndo = "kill"\nwho = "some"', '4:7: [[at]] who = "some": must be nodes'),
    ('[[at]]\ntime = "1s"\ndo = "kill"\nwho = "zone x"', "4:7:"),
    ('[[at]]\ntime = "1s"\ndo = "kill"\nwho = "0"\nin = "5%"', "in: has no meaning for do = \"kill\""),
    ('[[at]]\ntime = "1s"\ndo = "heal"\nwho = "0"', "who: has no meaning"),
    ('[[at]]\ntime = "1s"\ndo = "split"\ngroups = "0"', "4:10: [[at]] groups: must be nodes"),
    ('[[at]]\ntime = "1s"\ndo = "split"\ngroups = [["0"]]', "4:11:"),
    ('[[at]]\ntime = "1s"\ndo = "split"\ngroups = ["0", "x"]', '4:16: [[at]] groups = "x"'),
    ('[[at]]\ntime = "1s"\ndo = "split"\ngroups = []', "groups: must name at least one"),
    ("at = 5", "1:6: at"),
    ("start = 5", "start"),
    ("[expect]\nfalse_positives = -1", "2:19: [expect] false_positives = -1"),
    ("[start", "1:"),
    ("\x00", "1:"),
    ("a" + ".a" * 20000 + " = 1", "1:1: a key of too many parts"),
    ("a = " + "[" * 20000, "1:"),
    ("# " + "x" * 70000, "longer than 65536 bytes"),
]


class Files(Case):
    def test_bad_files(self):
        for text, part in BAD_FILES:
            path = self.file(text + "\n")
            for command in ("show", "run"):
                done = swimsim(command, path, code=SCENARIO)
                self.assertIn(part, done.stderr, text)
                self.assertIn(f"swimsim: {path}:", done.stderr)
                self.assertEqual(done.stdout, "")

    def test_a_file_with_everything(self):
        text = """
title = "Every key: \\"quoted\\" and \\\\."
seed = 9223372036854775807
nodes = 30
for = "1h"
family = 6
plain = "random 10%"
receive_buffer = 20

[start]
how = "one by one"
seeds = "random 3"
every = "250ms"
rest_after = "2s"
clusters = 2

[link]
delay = "normal:1ms..20ms"
jitter = "3ms"
loss = "0.5%"
duplicate = "1%"
corrupt = "2%"
reorder = "3%"
bandwidth = "10Mbit"
queue = "64kB"

[gossip]
adaptive_fanout = false
interval_ms = 100

[network]
reliable_max_retries = 5

[probes]
interval_ms = 2000
suspect_multiplier = 1.250

[lifeguard]
nack = false
confirmations = 0

[[zone]]
name = "a"

[[zone]]
name = "b"
share = 2

[[zone_link]]
from = "a"
to = "b"
one_way = true
loss = "7%"

[[at]]
time = "10s"
do = "kill"
who = "random 3"
every = "10s"
until = "5m"
redraw = false
draw = 7

[[at]]
time = "11s"
do = "cut"
who = "0-4"
other = "zone b"
one_way = true
for = "1m30s"

[[at]]
time = "12s"
do = "split"
groups = ["0-4", "random 20%"]
for = "60s"

[[at]]
time = "13s"
do = "zone"
one_way = true
from = "b"
to = "a"
delay = "heavy:1ms..2s"

[[at]]
time = "14s"
do = "clock_rate"
who = "plain"
rate = "-200ppm"

[[at]]
time = "15s"
do = "move"
who = "3"
other = "4"
keeps = "all"
for = "2s"

[[at]]
time = "16s"
do = "block"
who = "stopped"
blocked = "process"
for = "2s"

[expect]
converged = true
nobody_failed = true
nobody_suspected = true
false_positives = 0
healthy_false_positives = 3
joined_within = "10s"
converged_within = "20s"
deaths_known_within = "30s"
leaves_known_within = "5s"
"""
        shown = swimsim("show", self.file(text)).stdout
        self.assertEqual(shown, text.lstrip().replace('for = "1m30s"', 'for = "90s"'))
        again = swimsim("show", self.file(shown, "shown.toml")).stdout
        self.assertEqual(again, shown)

    def test_lists_may_come_before_what_they_build_on(self):
        shown = swimsim("show", self.file("""
[[at]]
time = "1s"
do = "network"
duplicate = "1%"
[[at]]
time = "2s"
do = "kill"
who = "zone far"
[[zone]]
name = "near"
[[zone]]
name = "far"
[link]
loss = "5%"
""")).stdout
        self.assertIn('do = "network"\nduplicate = "1%"\n\n', shown)  # the loss is the link's own
        self.assertIn('who = "zone far"', shown)

    def test_flags_win_over_files(self):
        shown = swimsim("show", "kill-one-of-10", "--nodes", "12", "--kill", "1@20s", "--loss", "1%",
                        "--set", "probes.interval_ms=2000").stdout
        self.assertIn("nodes = 12\n", shown)
        self.assertIn('loss = "1%"', shown)
        self.assertIn("[probes]\ninterval_ms = 2000\n", shown)
        self.assertEqual(shown.count("[[at]]"), 2)
        one = swimsim("run", "kill-one-of-10", "--nodes", "12", "--kill", "1@20s").stdout
        two = swimsim("run", self.file(swimsim("show", "kill-one-of-10", "--nodes", "12", "--kill",
                                               "1@20s").stdout)).stdout
        self.assertEqual(trace_hash(one), trace_hash(two))


class Library(Case):
    def test_each_says_what_it_shows(self):
        self.assertGreaterEqual(len(SCENARIOS), 20)
        lines = swimsim("list").stdout.splitlines()
        self.assertEqual(len(lines), len(SCENARIOS))
        titles = set()
        for line, path in zip(lines, SCENARIOS):
            name, title = line.split(None, 1)
            self.assertEqual(name + ".toml", os.path.basename(path))
            self.assertRegex(title, r"^[A-Z].{30,200}[.?]$")
            titles.add(title)
        self.assertEqual(len(titles), len(lines))

    def test_each_is_what_is_shown_of_it(self):
        for path in SCENARIOS:
            shown = swimsim("show", path).stdout
            self.assertEqual(swimsim("show", self.file(shown)).stdout, shown, path)

    def test_the_quick_ones_do_as_expected(self):
        ran = 0
        for path in SCENARIOS:
            shown = swimsim("show", path).stdout
            nodes = int(re.search(r"^nodes = (\d+)", shown, re.M).group(1))
            number, unit = re.search(r'^for = "(\d+)([smh])"', shown, re.M).groups()
            if nodes * int(number) * {"s": 1, "m": 60, "h": 3600}[unit] <= QUICK / FACTOR:
                with self.subTest(os.path.basename(path)):
                    swimsim("run", path)
                ran += 1
        self.assertGreaterEqual(ran, 20 if FACTOR == 1 else 5)

    def test_what_the_swarm_has_found(self):
        """Each is a fault of the past, cut down: it must not come back."""
        paths = sorted(glob.glob(os.path.join(ROOT, "tests", "sim", "found", "*.toml")))
        self.assertGreater(len(paths), 0)
        for path in paths:
            with self.subTest(os.path.basename(path)):
                swimsim("run", path)

    def test_found_by_name(self):
        env = dict(os.environ, SWIM_SCENARIOS=self.folder)
        done = swimsim("list", env=env, code=SCENARIO)
        self.assertIn(self.folder, done.stderr)
        self.file('title = "Mine."\n', "mine.toml")
        self.assertRegex(swimsim("list", env=env).stdout, r"^mine +Mine\.\n$")
        swimsim("run", "mine", env=env)
        self.file("nodes = x\n", "bad.toml")
        self.assertIn("bad.toml:1:", swimsim("list", env=env, code=SCENARIO).stderr)
        swimsim("run", "mine.toml", cwd=self.folder)

    def test_the_reference_has_every_key(self):
        with open(os.path.join(ROOT, "docs", "simulator.md"), encoding="utf-8") as text:
            reference = text.read()
        for name in ("plan_keys.c", "plan.h"):
            with open(os.path.join(ROOT, "src", "swimsim", name), encoding="utf-8") as text:
                source = text.read()
            pattern = r'\.name = "(\w+)"' if name == "plan_keys.c" else r'X\([A-Z_]+, "(\w+)"\)'
            names = re.findall(pattern, source)
            self.assertGreater(len(names), 15)
            for key in names:
                self.assertIn(f"`{key}`", reference)


class Swarm(Case):
    def test_a_few_seeds(self):
        done = swimsim("swarm", "--seeds", "3", "--max-nodes", "10", "--seed", "5")
        self.assertIn("3", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
