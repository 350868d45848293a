#!/usr/bin/python3
"""
Clusters of real processes, ours and Serf's, put through the same on loopback: how long it takes,
what it costs, who is wrongly doubted. One process a member, in a network namespace of their own;
kinds and repetitions take turns, since machines are noisy.

    bench/cluster/main.py [options]         make bench-cluster

    --sizes 10,50,100     numbers of members for the whole story
    --storm 200           numbers for the storm: all start 0.1 s apart, a fifth stands still; '' = none
    --kinds swimd,serf    who takes part; one that is not installed is left out, with a word
    --repeat 3            how often each is run; the table tells medians
    --bound 60            seconds to wait for anything at most
    --settle 10           seconds from when all see all until a cluster counts as idle
    --idle 20             seconds for which an idle cluster is measured
    --out FOLDER          cluster.json and cluster.svg go there (default build-bench)
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

import agents
import report
import scenes
from kinds import KINDS, ROOT, Bare


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


def numbers(text):
    return [int(word) for word in text.split(',') if word]


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0].strip())
    parser.add_argument('--sizes', type=numbers, default=[10, 50, 100])
    parser.add_argument('--storm', type=numbers, default=[200])
    parser.add_argument('--kinds', default='swimd,serf')
    parser.add_argument('--repeat', type=int, default=3)
    parser.add_argument('--bound', type=float, default=60)
    parser.add_argument('--settle', type=float, default=10)
    parser.add_argument('--idle', type=float, default=20)
    parser.add_argument('--out', default=os.path.join(ROOT, 'build-bench'))
    return parser.parse_args(arguments)


def participants(names, folder):
    kinds = [KINDS[name](folder) for name in names.split(',')]
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


def run_all(kinds, options):
    results = {}
    plan = ([('life', scenes.life, count) for count in options.sizes]
            + [('storm', scenes.storm, count) for count in options.storm])
    for name, scene, count in plan:
        # A storm is a yes or a no; three of them are minutes.
        for _ in range(options.repeat if name == 'life' else 1):
            for kind in kinds:
                start = time.monotonic()
                figures = scene(kind, count, options)
                results.setdefault((name, count), {}).setdefault(kind.name, []).append(figures)
                say(f'bench-cluster: {name} of {count} {kind.name}: '
                    f'{time.monotonic() - start:.0f} s')
            if name == 'life' and not Bare(()).why_not():
                results[name, count].setdefault(Bare.name, []).append(scenes.bare(count, options))
    return results


def main(arguments):
    options = parse(arguments)
    in_namespace()
    read_first()
    os.makedirs(options.out, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        kinds = participants(options.kinds, folder)
        if not kinds:
            return 1
        about = {'kinds': {kind.name: kind.version() for kind in kinds},
                 'processors': os.cpu_count(), 'command': ' '.join(arguments)}
        results = run_all(kinds, options)
    report.write_json(os.path.join(options.out, 'cluster.json'), about, results)
    report.write_svg(os.path.join(options.out, 'cluster.svg'), results)
    say(report.table(results))
    say(f'{", ".join(about["kinds"].values())}; {about["processors"]} processors; '
        f'figures and picture: {options.out}/cluster.json, cluster.svg')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
