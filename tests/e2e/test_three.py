#!/usr/bin/env python3
"""Three default nodes: how they meet, crash, leave, restart, and stand still."""

import signal
import time

import swimtest
from swimtest import load_tests  # noqa: F401  (unittest looks for it here)

JOIN_SECONDS = 1.0     # all see all, after the last start
DEATH_SECONDS = 12.0   # from kill -9 to dead on every survivor
LEFT_SECONDS = 1.0     # from SIGTERM to left on every survivor
EXIT_SECONDS = 2.0     # from SIGTERM to exit code 0
HEAL_SECONDS = 10.0    # between two tries of a seed that is gone (docs/protocol.md, "Healing")
RETENTION_SECONDS = 15.0


class ThreeNodes(swimtest.SwimTestCase):
    side_by_side = True

    def three(self):
        nodes = self.cluster(3)
        took = self.await_all_alive(nodes, JOIN_SECONDS)
        self.assertLessEqual(took, JOIN_SECONDS * swimtest.FACTOR)
        return nodes

    def assert_no_ghost(self, nodes):
        """Once tombstones are forgotten there are exactly these records, and so it stays."""
        wanted = sorted((n.addr, "alive") for n in nodes)
        for node in nodes:
            swimtest.wait_until(lambda node=node: (node.view() == wanted, node.view()),
                                2 * RETENTION_SECONDS + 5, f"no ghost on {node.name}",
                                interval=0.2)
        swimtest.hold(lambda: all(n.view() == wanted for n in nodes), 3, "no ghost comes back")

    def test_kill_9_then_restart_on_the_same_port(self):
        nodes = self.three()
        first, second, victim = nodes
        old_id = victim.self_id()
        killed = time.monotonic()
        victim.kill()
        self.await_status([first, second], victim.addr, "dead", DEATH_SECONDS, since=killed)
        self.assert_never_doubted([first, second], [first, second])
        self.assertEqual([n.counter("suspicions_refuted") for n in (first, second)], [0, 0])
        self.assertGreaterEqual(sum(n.counter("failures") for n in (first, second)), 2)

        victim.start()
        self.await_all_alive(nodes, JOIN_SECONDS)
        self.assertNotEqual(victim.self_id(), old_id)
        for node in nodes:
            self.assertEqual(node.metrics()["swim_members_alive"], 3)
        self.assert_no_ghost(nodes)
        self.assert_never_doubted([first, second], [first, second])

    def test_kill_9_and_restart_before_anybody_noticed(self):
        nodes = self.three()
        first, second, victim = nodes
        victim.kill()
        victim.start()
        self.await_all_alive(nodes, JOIN_SECONDS)
        self.assert_no_ghost(nodes)
        self.assert_never_doubted([first, second], [first, second])

    def test_sigterm_leaves_then_restart_on_the_same_port(self):
        nodes = self.three()
        first, second, leaver = nodes
        told = time.monotonic()
        leaver.signal(signal.SIGTERM)
        self.await_status([first, second], leaver.addr, "left", LEFT_SECONDS, since=told)
        code, _ = leaver.wait(EXIT_SECONDS)
        self.assertEqual(code, 0)
        self.assertLessEqual(time.monotonic() - told, EXIT_SECONDS * swimtest.FACTOR)
        # A leave is no death: nobody suspected anybody on the way.
        self.assert_never_doubted([first, second], nodes)
        self.assertEqual([n.counter("suspicions_raised") for n in (first, second)], [0, 0])
        self.assertEqual([n.counter("failures") for n in (first, second)], [0, 0])

        leaver.start()
        self.await_all_alive(nodes, JOIN_SECONDS)
        self.assert_no_ghost(nodes)

    def test_the_seed_itself_restarts(self):
        nodes = self.three()
        seed = nodes[0]
        seed.terminate(EXIT_SECONDS)
        self.await_status(nodes[1:], seed.addr, "left", LEFT_SECONDS)
        # The configured peers of the others lead back to it; it has none of its own.
        seed.start()
        self.await_all_alive(nodes, HEAL_SECONDS + JOIN_SECONDS)

    def test_sigstop_two_seconds_harms_nobody(self):
        nodes = self.three()
        first, second, sleeper = nodes
        sleeper.signal(signal.SIGSTOP)
        paused = time.monotonic()

        def nobody_is_dead():
            views = [n.view() for n in (first, second)]
            return not any(status in ("dead", "left") for v in views for _, status in v), views

        swimtest.hold(nobody_is_dead, 2.0 - (time.monotonic() - paused), "nobody is dead")
        sleeper.signal(signal.SIGCONT)
        self.await_all_alive(nodes, 5, since=time.monotonic())
        swimtest.hold(nobody_is_dead, 7, "nobody is declared dead afterwards")
        self.await_all_alive(nodes, 1, since=time.monotonic())
        # The two that ran all the time never doubted each other, and the sleeper nobody at all.
        self.assert_never_doubted([first, second], [first, second])
        self.assert_never_doubted([sleeper], [first, second])
        self.assertEqual([n.counter("failures") for n in nodes], [0, 0, 0])

    def test_sigstop_twenty_seconds_is_death_and_return(self):
        nodes = self.three()
        first, second, sleeper = nodes
        before = first.member(sleeper.addr, "alive")
        sleeper.signal(signal.SIGSTOP)
        paused = time.monotonic()
        self.await_status([first, second], sleeper.addr, "dead", DEATH_SECONDS, since=paused)
        time.sleep(max(0.0, 20 - (time.monotonic() - paused)))
        sleeper.signal(signal.SIGCONT)
        self.await_all_alive(nodes, 10, since=time.monotonic())
        for node in nodes:
            member = node.member(sleeper.addr, "alive")
            self.assertEqual(member["id"], before["id"])
            self.assertGreater(member["incarnation"], before["incarnation"])
        self.assertGreaterEqual(sleeper.counter("pauses"), 1, "it noticed its own pause")
        self.assertEqual(sleeper.counter("failures"), 0)
        self.assert_never_doubted([sleeper], [first, second])
        self.assert_never_doubted([first, second], [first, second])

    def test_two_nodes_and_one(self):
        first = self.node()
        first.await_http()
        self.assertEqual(first.get_json("/readyz")["alive_nodes"], 1)
        second = self.node(peers=[first])
        self.await_all_alive([first, second], JOIN_SECONDS)
        second.kill()
        self.await_status([first], second.addr, "dead", DEATH_SECONDS)
        self.assertEqual(first.live(), [first.addr])
        self.assertEqual(first.counter("refutations"), 0)
        # Alone, it leaves at once: there is nobody to wait for.
        self.assertLess(first.terminate(), 1.0 * swimtest.FACTOR)


if __name__ == "__main__":
    swimtest.main()
