"""bench/cluster measures three of our own from their start to a pause, in seconds."""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from unittest import mock

import swimtest

FOLDER = os.path.join(swimtest.ROOT, "bench", "cluster")
MAIN = os.path.join(FOLDER, "main.py")
sys.path.insert(0, FOLDER)

import agents  # noqa: E402
import main  # noqa: E402
import report  # noqa: E402
import scenes  # noqa: E402

LIFE = ("all_see_all_s", "cpu_ms", "pss_kib", "datagrams", "bytes")
DEATH = ("first_suspected_s", "first_failed_s", "all_failed_s", "rejoin_s")
COMMAND = [sys.executable, MAIN, "--sizes", "3", "--storm", "", "--kinds", "swimd", "--repeat",
           "1", "--kills", "2", "--settle", "1", "--idle", "2", "--bound", str(20 * swimtest.FACTOR)]


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return file.read().split()
    except FileNotFoundError:
        return []


class BenchCluster(unittest.TestCase):
    def test_a_life_of_three(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(COMMAND + ["--out", folder], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=180 * swimtest.FACTOR,
                                  env=dict(os.environ, SWIMD=swimtest.SWIMD))
            said = done.stdout.decode()
            self.assertEqual(done.returncode, 0, said)
            with open(os.path.join(folder, "cluster.json"), encoding="utf-8") as file:
                result, bare = json.load(file)["results"]
            with open(os.path.join(folder, "cluster.svg"), encoding="utf-8") as file:
                self.assertIn("</svg>", file.read())
        (run,) = result["runs"]
        self.assertEqual(len(run["deaths"]), 2, said)
        for figures, names in [(run, LIFE)] + [(death, DEATH) for death in run["deaths"]]:
            for name in names:
                self.assertIsNotNone(figures[name], name)
                self.assertGreater(figures[name], 0, name)
        for death in run["deaths"]:
            self.assertLess(death["first_suspected_s"], death["first_failed_s"])
            self.assertLessEqual(death["first_failed_s"], death["all_failed_s"])
        self.assertEqual(set(bare["runs"][0]), {"cpu_ms", "pss_kib", "datagrams", "bytes"})
        self.assertAlmostEqual(bare["runs"][0]["datagrams"], 2, delta=0.7)
        self.assertEqual(run["pause_healthy_failed"], 0)
        self.assertTrue(run["pause_whole"])
        self.assertIn("life, N = 3", said)
        self.assertIn("swimd: first failed of 2 kills, s: ", said)

    def test_medians_are_of_all_kills(self):
        lives = [{"deaths": [{"first_failed_s": value} for value in values]}
                 for values in ((5.5, 7.0, 6.0), (9.0, 6.5))]
        self.assertEqual(report.middle(lives, "first_failed_s"), 6.5)
        self.assertEqual(report.every_death("swimd", lives),
                         "  swimd: first failed of 5 kills, s: 5.5 6 6.5 7 9")
        lives[0]["deaths"][1]["first_failed_s"] = None
        self.assertIsNone(report.middle(lives, "first_failed_s"))
        self.assertTrue(report.every_death("swimd", lives).endswith(" 9 never"))

    def test_victims_take_turns_and_are_never_the_seed(self):
        self.assertEqual(scenes.victims(range(100, 104), 4), [102, 103, 101, 102])
        self.assertEqual(scenes.victims(range(100, 102), 2), [101, 101])

    def test_a_peer_that_is_not_there_is_left_out(self):
        done = subprocess.run([sys.executable, MAIN, "--kinds", "serf", "--sizes", "3"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              env=dict(os.environ, PATH="/nowhere", SWIM_BENCH_NAMESPACE="1"))
        self.assertIn("serf is left out: not installed", done.stdout.decode())
        self.assertEqual(done.returncode, 1)

    def test_a_signal_leaves_nobody_behind(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with tempfile.TemporaryDirectory() as folder, subprocess.Popen(
                    COMMAND + ["--out", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    env=dict(os.environ, SWIMD=swimtest.SWIMD)) as bench:
                swimtest.wait_until(lambda: len(children(bench.pid)) >= 3, 30, "three agents")
                pids = children(bench.pid)
                bench.send_signal(number)
                said = bench.communicate(timeout=30 * swimtest.FACTOR)[0].decode()
            self.assertEqual(bench.returncode, code, said)
            self.assertNotIn("Traceback", said)
            for pid in pids:
                self.assertFalse(os.path.exists(f"/proc/{pid}"), said)

    def test_an_agent_that_ends_by_itself_is_told(self):
        with tempfile.TemporaryDirectory() as folder, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            try:
                taken.bind(("127.0.0.1", 20001))
            except OSError:
                pass  # somebody has it already
            done = subprocess.run(COMMAND + ["--out", folder], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=60 * swimtest.FACTOR,
                                  env=dict(os.environ, SWIMD=swimtest.SWIMD,
                                           SWIM_BENCH_NAMESPACE="1"))
            with open(os.path.join(folder, "cluster.json"), encoding="utf-8") as file:
                result = json.load(file)["results"][0]
        self.assertEqual(done.returncode, 1)
        self.assertIn("that at port 20001 with 4: swimd: UDP 127.0.0.1:20001: cannot listen",
                      done.stdout.decode())
        self.assertEqual(result["runs"], [{"all_see_all_s": None}])

    def test_what_is_measured_outlives_the_rest(self):
        figures = [{"all_see_all_s": 0.5}, agents.Ended("1 of 3 ended"), KeyboardInterrupt()]
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(scenes, "life", side_effect=figures), \
                mock.patch.object(main, "say") as say:
            options = main.parse(["--sizes", "3", "--storm", "", "--out", folder])
            kinds = [swimd] = [main.KINDS["swimd"](folder)]
            with mock.patch.object(swimd, "version", return_value="swimd"), \
                    mock.patch.object(main.Bare, "why_not", return_value="left out"), \
                    self.assertRaises(KeyboardInterrupt):
                main.measure(kinds, options, [])
            with open(os.path.join(folder, "cluster.json"), encoding="utf-8") as file:
                (result,) = json.load(file)["results"]
        self.assertEqual(result["runs"], [{"all_see_all_s": 0.5}, {"all_see_all_s": None}])
        said = "\n".join(call.args[0] for call in say.call_args_list)
        self.assertIn("1 of 3 ended", said)
        self.assertIn("life, N = 3", said)

    def test_whose_members_never_meet_are_not_killed(self):
        kind, options = mock.Mock(), main.parse(["--bound", "1"])
        with mock.patch.object(scenes, "Cluster"), mock.patch.object(scenes, "form") as form, \
                mock.patch.object(scenes, "idle", return_value={}), \
                mock.patch.object(scenes, "pause", return_value={}), \
                mock.patch.object(scenes, "deaths", return_value=[]) as deaths:
            form.return_value = None
            scenes.life(kind, 3, options)
            deaths.assert_not_called()
            form.return_value = 0.1
            scenes.life(kind, 3, options)
            deaths.assert_called_once()

    def test_who_may_not_be_nice_to_itself_measures_all_the_same(self):
        with mock.patch.object(main.os, "nice", side_effect=PermissionError):
            main.read_first()

    def test_how_long_it_takes_is_told(self):
        options = main.parse(["--settle", "5", "--idle", "10", "--bound", "40", "--kills", "2"])
        self.assertEqual(scenes.usual_s("life", 10, options, is_bare=False), 1 + 15 + 10 + 2 * 13)
        self.assertEqual(scenes.usual_s("life", 10, options, is_bare=True), 15)
        self.assertEqual(scenes.usual_s("storm", 200, options, is_bare=False), 20 + 60 + 10)
        self.assertEqual(main.roughly(22), "a minute")
        self.assertEqual(main.roughly(40 * 60), "40 minutes")


if __name__ == "__main__":
    swimtest.main()
