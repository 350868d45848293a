"""Processes of one cluster, what they log, and what they cost."""
import os
import selectors
import signal
import subprocess
import threading
import time

from kinds import FAILED, JOINED, LEFT, SUSPECTED

FIRST_PORT = 20000
# This process runs at so much better a priority than the agents, where it may.
NICE = 5
is_favoured = False


class Agent:
    """One process, and the view that its log tells of: the ports of the members it holds alive."""

    def __init__(self, kind, port, seed):
        self.port = port
        self.alive = {port}
        self.rest = b''
        self.started = time.monotonic()
        self.process = subprocess.Popen(kind.command(port, seed), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        preexec_fn=lambda: os.nice(NICE if is_favoured else 0))
        os.set_blocking(self.process.stdout.fileno(), False)

    def signal(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)


class Cluster:
    """Agents by port. A thread reads their logs and notes every event with the time it was read:
    (seconds, observer, kind, member)."""

    def __init__(self, kind, count):
        self.kind = kind
        self.count = count
        self.agents = {}
        self.events = []
        self.lock = threading.Lock()
        self.selector = selectors.DefaultSelector()
        self.is_over = False
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def ports(self):
        return range(FIRST_PORT, FIRST_PORT + self.count)

    def start(self, port, seed=None):
        agent = Agent(self.kind, port, seed)
        with self.lock:
            self.agents[port] = agent
        self.selector.register(agent.process.stdout, selectors.EVENT_READ, agent)
        return agent

    def read(self):
        while not self.is_over:
            for key, _ in self.selector.select(timeout=0.05):
                agent = key.data
                try:
                    data = os.read(key.fd, 1 << 16)
                except OSError:
                    data = b''
                if not data:
                    self.selector.unregister(key.fileobj)
                    continue
                lines = (agent.rest + data).split(b'\n')
                agent.rest = lines.pop()
                self.note(agent, lines)

    def note(self, agent, lines):
        now = time.monotonic()
        with self.lock:
            for line in lines:
                told = self.kind.understand(line.decode('utf-8', 'replace'))
                if not told or told[1] == agent.port:
                    continue
                kind, member = told
                self.events.append((now, agent.port, kind, member))
                if kind == JOINED:
                    agent.alive.add(member)
                elif kind in (FAILED, LEFT):
                    agent.alive.discard(member)

    def await_views(self, seconds, observers=None, wanted=None):
        """Waits until each observer's view is exactly `wanted` (default: all that run). Returns the
        time when the last one had it, or None."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self.lock:
                ports = set(self.agents) if wanted is None else wanted
                if all(self.agents[port].alive == ports for port in observers or ports):
                    return time.monotonic()
            time.sleep(0.005)
        return None

    def since(self, start, *kinds):
        with self.lock:
            return [event for event in self.events if event[0] >= start and event[2] in kinds]

    def doubts(self, start, healthy):
        """Since `start`: how often a healthy member was suspected, and declared dead."""
        told = self.since(start, SUSPECTED, FAILED)
        count = lambda kind: sum(1 for event in told if event[2] == kind and event[3] in healthy)
        return {'suspected': count(SUSPECTED), 'failed': count(FAILED)}

    def kill(self, port):
        with self.lock:
            agent = self.agents.pop(port)
        agent.signal(signal.SIGKILL)
        agent.process.wait()

    def end(self):
        for agent in list(self.agents.values()):
            agent.signal(signal.SIGKILL)
        for agent in self.agents.values():
            agent.process.wait()
        self.is_over = True
        self.reader.join()
        for agent in self.agents.values():
            agent.process.stdout.close()
        self.selector.close()


# ---- What they cost ---------------------------------------------------------------------------


def cpu_ns(pid):
    """Time on a processor, of all threads, as the scheduler has it: utime + stime, but finer."""
    total = 0
    for thread in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{thread}/schedstat', encoding='ascii') as file:
            total += int(file.read().split()[0])
    return total


def pss_kib(pid):
    with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('Pss:'))


def traffic():
    """(UDP datagrams sent, bytes on the loopback device) in this network namespace."""
    with open('/proc/net/snmp', encoding='ascii') as file:
        names, values = [line.split() for line in file if line.startswith('Udp:')]
    with open('/proc/net/dev', encoding='ascii') as file:
        loopback = next(line for line in file if line.strip().startswith('lo:'))
    return int(values[names.index('OutDatagrams')]), int(loopback.split(':')[1].split()[8])
