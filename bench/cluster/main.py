#!/usr/bin/python3
"""
Clusters of real processes, ours and Serf's, put through the same on loopback: how long it takes,
what it costs, who is wrongly doubted. One process a member, in a network namespace of their own;
kinds and repetitions take turns, since machines are noisy.

    make bench-cluster ARGS="--sizes 50 --storm ''"
"""
import argparse
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import agents
import report
import scenes
from kinds import KINDS, ROOT, Bare


SIZES = [10, 50, 100, 200]
# What Serf takes, with something to spare.
MEMBER_KIB = 24 * 1024


def say(text):
    print(text, flush=True)


def in_namespace():
    """Restarts this in a network namespace of its own, where that can be had."""
    if os.environ.get('SWIM_BENCH_NAMESPACE') or not shutil.which('unshare'):
        return
    user = [] if os.geteuid() == 0 else ['--user', '--map-root-user']
    command = ['unshare'] + user + ['--net']
    if subprocess.run(command + ['ip', 'link', 'set', 'lo', 'up'], stderr=subprocess.DEVNULL,
                      check=False).returncode:
        say('bench-cluster: no network namespace to be had: traffic is that of the whole machine')
        return
    os.environ['SWIM_BENCH_NAMESPACE'] = '1'
    os.execvp(command[0], command + ['sh', '-c', 'ip link set lo up && exec "$0" "$@"',
                                     sys.executable, os.path.abspath(__file__)] + sys.argv[1:])


def counts(text):
    """Numbers of members, with commas between; none at all is fine."""
    words = [word for word in text.split(',') if word]
    if not all(word.isdecimal() and int(word) >= 2 for word in words):
        raise argparse.ArgumentTypeError(f'{text!r}: numbers from 2, with commas between')
    return [int(word) for word in words]


def sizes_that_fit():
    """200 members of the dearest kind want their memory; on a small machine they would swap."""
    with open('/proc/meminfo', encoding='ascii') as file:
        free = next(int(line.split()[1]) for line in file if line.startswith('MemAvailable:'))
    return ','.join(str(count) for count in SIZES if count * MEMBER_KIB < free)


def names(text):
    chosen = text.split(',')
    if not set(chosen) <= set(KINDS):
        raise argparse.ArgumentTypeError(f'{text!r}: there are {", ".join(KINDS)}')
    return chosen


def at_least(least, kind):
    def convert(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not least <= value < math.inf:
            raise argparse.ArgumentTypeError(f'{text!r}: a number, at least {least}')
        return value
    return convert


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__.split('\n\n')[0].strip(),
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100))
    add = parser.add_argument
    add('--sizes', type=counts, default=sizes_that_fit(), metavar='N,...',
        help="numbers of members for the whole story, '' for none (default %(default)s; "
             'of 10 to 200 what memory allows)')
    add('--storm', type=counts, default='200', metavar='N,...',
        help='numbers of members for the storm: all start 0.1 s apart, then a fifth stands still; '
             "'' for none (default %(default)s)")
    add('--kinds', type=names, default='swimd,serf', metavar='KIND,...',
        help='who takes part; one that is not installed is left out, with a word (default %(default)s)')
    add('--repeat', type=at_least(1, int), default=3, metavar='TIMES',
        help='how often each life is run; the table tells medians, of all kills for what follows '
             'these (default %(default)s)')
    add('--kills', type=at_least(1, int), metavar='TIMES',
        help='how many members of a life are killed and started again, one after the other '
             f'(default {scenes.KILLS} of up to {scenes.MANY_TO_KILL} members, '
             f'{scenes.KILLS_MANY} of more)')
    add('--bound', type=at_least(1, float), default=40, metavar='SECONDS',
        help='how long to wait for anything at most (default %(default)s)')
    add('--settle', type=at_least(0, float), default=5, metavar='SECONDS',
        help='from when all see all until a cluster counts as idle and, from the second on, one is '
             'killed (default %(default)s)')
    add('--idle', type=at_least(1, float), default=10, metavar='SECONDS',
        help='how long an idle cluster is measured (default %(default)s)')
    add('--out', default=os.path.join(ROOT, 'build-bench'), metavar='FOLDER',
        help='where cluster.json and cluster.svg go (default build-bench)')
    return parser.parse_args(arguments)


def participants(chosen, folder):
    kinds = [KINDS[name](folder) for name in chosen]
    for kind in kinds:
        if kind.why_not():
            say(f'bench-cluster: {kind.name} is left out: {kind.why_not()}')
    return [kind for kind in kinds if not kind.why_not()]


def read_first():
    """What reads the logs must not be what is late: it is nicer to itself than to the agents."""
    try:
        os.nice(-agents.NICE)
        agents.is_favoured = True
    except OSError:
        pass


def plan(kinds, options):
    """(name, scene, count, kind) in their order. A storm is a yes or a no; three are minutes."""
    for count in options.sizes:
        for _ in range(options.repeat):
            yield from (('life', scenes.life, count, kind) for kind in kinds)
            if not Bare(()).why_not():
                yield 'life', scenes.bare, count, Bare(agents.ports(count))
    for count in options.storm:
        yield from (('storm', scenes.storm, count, kind) for kind in kinds)


def run_all(kinds, options, results, keep):
    """Fills `results` and calls `keep` after each scene: what is measured is not lost with the rest.
    Whether all agents ran until they were ended."""
    is_whole = True
    for name, scene, count, kind in plan(kinds, options):
        start = time.monotonic()
        try:
            figures = scene(kind, count, options)
        except agents.Ended as ended:
            say(f'bench-cluster: {ended}')
            figures, is_whole = scenes.never(name), False
        results.setdefault((name, count), {}).setdefault(kind.name, []).append(figures)
        keep()
        say(f'bench-cluster: {name} of {count} {kind.name}: {time.monotonic() - start:.0f} s')
    return is_whole


def roughly(seconds):
    minutes = round(seconds / 60)
    return 'a minute' if minutes <= 1 else f'{minutes} minutes'


def say_how_long(kinds, options):
    seconds = sum(scenes.usual_s(name, count, options, scene is scenes.bare)
                  for name, scene, count, kind in plan(kinds, options))
    say(f'bench-cluster: about {roughly(seconds)}, more where members do not come to see each '
        f'other; what is measured is in {options.out} after each step')


def say_results(about, results, options):
    """Also when the run was ended early: then of what is done."""
    if not results:
        say('bench-cluster: nothing was measured')
        return
    say(report.table(results))
    say(f'{", ".join(about["kinds"].values())}; {about["processors"]} processors; '
        f'figures and picture: {options.out}/cluster.json, cluster.svg')


def measure(kinds, options, arguments):
    about = {'kinds': {kind.name: kind.version() for kind in kinds},
             'processors': os.cpu_count(), 'command': shlex.join(arguments)}
    results = {}

    def keep():
        report.write_json(os.path.join(options.out, 'cluster.json'), about, results)
        report.write_svg(os.path.join(options.out, 'cluster.svg'), results)

    say_how_long(kinds, options)
    try:
        return 0 if run_all(kinds, options, results, keep) else 1
    finally:
        say_results(about, results, options)


def main(arguments):
    options = parse(arguments)
    in_namespace()
    read_first()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        os.makedirs(options.out, exist_ok=True)
    except OSError as error:
        sys.exit(f'bench-cluster: --out {options.out}: {error.strerror}')
    with tempfile.TemporaryDirectory() as folder:
        kinds = participants(options.kinds, folder)
        return measure(kinds, options, arguments) if kinds else 1


if __name__ == '__main__':
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
