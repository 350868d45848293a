"""bench/cluster measures three of our own from their start to a pause, in seconds."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

import swimtest

MAIN = os.path.join(swimtest.ROOT, "bench", "cluster", "main.py")
COMMAND = [sys.executable, MAIN, "--sizes", "3", "--storm", "", "--kinds", "swimd", "--repeat",
           "1", "--settle", "1", "--idle", "2", "--bound", str(20 * swimtest.FACTOR)]


class BenchCluster(unittest.TestCase):
    def test_a_life_of_three(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(COMMAND + ["--out", folder], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=120 * swimtest.FACTOR,
                                  env=dict(os.environ, SWIMD=swimtest.SWIMD))
            said = done.stdout.decode()
            self.assertEqual(done.returncode, 0, said)
            with open(os.path.join(folder, "cluster.json"), encoding="utf-8") as file:
                result, bare = json.load(file)["results"]
            with open(os.path.join(folder, "cluster.svg"), encoding="utf-8") as file:
                self.assertIn("</svg>", file.read())
        (run,) = result["runs"]
        for name in ("all_see_all_s", "first_failed_s", "all_failed_s", "rejoin_s", "cpu_ms",
                     "pss_kib", "datagrams", "bytes"):
            self.assertIsNotNone(run[name], name)
            self.assertGreater(run[name], 0, name)
        self.assertEqual(set(bare["runs"][0]), {"cpu_ms", "pss_kib", "datagrams", "bytes"})
        self.assertAlmostEqual(bare["runs"][0]["datagrams"], 2, delta=0.7)
        self.assertEqual(run["pause_healthy_failed"], 0)
        self.assertTrue(run["pause_whole"])
        self.assertIn("life, N = 3", said)

    def test_a_peer_that_is_not_there_is_left_out(self):
        done = subprocess.run([sys.executable, MAIN, "--kinds", "serf", "--sizes", "3"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              env=dict(os.environ, PATH="/nowhere", SWIM_BENCH_NAMESPACE="1"))
        self.assertIn("serf is left out: not installed", done.stdout.decode())
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    swimtest.main()
