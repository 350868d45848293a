"""The kinds of agents that are compared: how one is started, and what its log lines say.

An agent is known by its port: it listens on 127.0.0.1:PORT. Logs are what both kinds have in
common, so that neither is asked anything while it is measured.
"""
import os
import re
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Serf's RPC listener of the agent at PORT is at PORT + this.
RPC_OFFSET = 10000

JOINED, SUSPECTED, FAILED, LEFT = 'joined', 'suspected', 'failed', 'left'


class Swimd:
    """Settings as Serf's LAN profile has them, where both have the setting: a probe a second with
    500 ms, then through 3 others; the least time of a suspicion (4 s times log10 n, and at least
    4 s) after two confirmations. The longest time, without any, is ours: 11 s of ten members,
    where Serf's is 24 s."""

    name = 'swimd'
    LINE = re.compile(r'member (joined|restarted|recovered|suspected|failed|left) id=\d+.*? '
                      r'addr=127\.0\.0\.1:(\d+)')
    WORDS = {'joined': JOINED, 'restarted': JOINED, 'recovered': JOINED, 'suspected': SUSPECTED,
             'failed': FAILED, 'left': LEFT}
    CONFIG = ('[probes]\ninterval_ms = 1000\ntimeout_ms = 500\nindirect_k = 3\n'
              'suspect_timeout_min_ms = 4000\nsuspect_timeout_ms = 4000\n'
              '[lifeguard]\nconfirmations = 2\n[metrics]\nlog_interval_ms = 0\n')

    def __init__(self, folder):
        self.program = os.environ.get('SWIMD', os.path.join(ROOT, 'build', 'swimd'))
        self.config = os.path.join(folder, 'swim.toml')
        with open(self.config, 'w', encoding='ascii') as file:
            file.write(self.CONFIG)

    def why_not(self):
        return None if os.access(self.program, os.X_OK) else f'{self.program}: run make first'

    def version(self):
        return subprocess.run([self.program, '--version'], stdout=subprocess.PIPE,
                              check=True).stdout.decode().split('\n')[0]

    def command(self, port, seed):
        peers = ['--peers', f'127.0.0.1:{seed}'] if seed else []
        return [self.program, '--config', self.config, '--bind', f'127.0.0.1:{port}',
                '--name', f'node-{port}'] + peers

    def understand(self, line):
        """(kind, port of the member) or None."""
        found = self.LINE.search(line)
        return (self.WORDS[found.group(1)], int(found.group(2))) if found else None


class Serf:
    """Its LAN profile, as it comes."""

    name = 'serf'
    LINE = re.compile(r'serf: EventMember(Join|Failed|Leave): p(\d+) ')
    SUSPECT = re.compile(r'memberlist: Suspect p(\d+) has failed')
    WORDS = {'Join': JOINED, 'Failed': FAILED, 'Leave': LEFT}

    def __init__(self, _folder):
        self.program = shutil.which('serf')

    def why_not(self):
        return None if self.program else 'not installed; on Debian: apt-get install serf'

    def version(self):
        said = subprocess.run([self.program, 'version'], stdout=subprocess.PIPE, check=True)
        return 'serf ' + said.stdout.decode().split('\n')[0]

    def command(self, port, seed):
        join = [f'-retry-join=127.0.0.1:{seed}', '-retry-interval=1s'] if seed else []
        return [self.program, 'agent', f'-node=p{port}', f'-bind=127.0.0.1:{port}',
                f'-rpc-addr=127.0.0.1:{port + RPC_OFFSET}', '-profile=lan',
                '-log-level=info'] + join

    def understand(self, line):
        found = self.LINE.search(line)
        if found:
            return self.WORDS[found.group(1)], int(found.group(2))
        found = self.SUSPECT.search(line)
        return (SUSPECTED, int(found.group(1))) if found else None


class Bare:
    """No agent, but the least that one could cost: bench/cluster/bare.c. It tells nothing, and is
    only measured when idle, between `ports`."""

    name = 'bare'

    def __init__(self, ports):
        self.program = os.environ.get('BARE', os.path.join(ROOT, 'build/bench/cluster/bare'))
        self.ports = ports

    def why_not(self):
        return None if os.access(self.program, os.X_OK) else f'{self.program}: not built'

    def command(self, port, _seed):
        return [self.program, str(port), str(self.ports[0]), str(len(self.ports))]

    def understand(self, _line):
        return None


KINDS = {kind.name: kind for kind in (Swimd, Serf)}
