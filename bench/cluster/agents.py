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
# Wait while an agent is being started: one of whom nobody knows would be left behind.
ENDS = {signal.SIGINT, signal.SIGTERM}


def prepare():
    """In the agent's process, before its program."""
    os.nice(NICE if is_favoured else 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)


def ports(count):
    return range(FIRST_PORT, FIRST_PORT + count)


class Ended(Exception):
    """Agents are gone that nobody has killed: of such a cluster nothing can be measured."""


class Agent:
    """One process, and the view that its log tells of: the ports of the members it holds alive."""

    def __init__(self, kind, port, seed):
        self.port = port
        self.alive = {port}
        self.rest = b''
        self.last = b''  # line of its log
        self.started = time.monotonic()
        self.process = subprocess.Popen(kind.command(port, seed), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        preexec_fn=prepare)
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
        return ports(self.count)

    def start(self, port, seed=None):
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
        agent = Agent(self.kind, port, seed)
        with self.lock:
            self.agents[port] = agent
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
        self.selector.register(agent.process.stdout, selectors.EVENT_READ, agent)
        return agent

    def read(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
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
                agent.last = lines[-1] if lines else agent.last
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

    def check_running(self):
        ended = [agent for agent in self.agents.values() if agent.process.poll() is not None]
        if not ended:
            return
        time.sleep(0.2)  # for the reader
        first = ended[0]
        raise Ended(f'{len(ended)} of {len(self.agents)} {self.kind.name} ended by themselves, that at '
                    f'port {first.port} with {first.process.returncode}: '
                    f'{first.last.decode("utf-8", "replace")}')

    def await_views(self, seconds, observers=None, wanted=None, all_must_run=False):
        """Waits until each observer's view is exactly `wanted` (default: all that run). Returns the
        time when the last one had it, or None."""
        look = time.monotonic()
        deadline = look + seconds
        while time.monotonic() < deadline:
            if all_must_run and time.monotonic() >= look:
                self.check_running()
                look = time.monotonic() + 1
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
