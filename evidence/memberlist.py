"""Against memberlist's LAN profile, as settings of our own core: a real death, and false ones."""
import math
import os

import lifeguard
from lab import Curve, Job, code, mean, number, percentile, plot, rounded, table

NAME = 'memberlist'
TITLE = 'Against memberlist’s LAN profile'

SIZES = [10, 50, 100]
SEEDS = 100
REAL = {10: '5.6–6.1', 50: '7.9–8.9', 100: '9.5–9.6'}
CELLS = [(c, d, i) for c in (4, 8, 16, 32) for d in (2048, 16384, 32768) for i in (1, 64, 1024, 4096)]
CELL_SEEDS = 1
BLOCKS = ['io', 'process']


def lan(size):
    """Probe 1 s / 500 ms, 3 helpers; gossip to 3 every 200 ms, λ 4 on log10 (here: nearest on
    log2); suspicion 4 · log10 n s, six times that without confirmations, of which 2 suffice."""
    scale = max(1.0, math.log10(size))
    wanted = 4 * math.ceil(math.log10(size + 1))
    retransmit = max(1, round(wanted / math.ceil(math.log2(size + 1))))
    return {'probes.indirect_k': '3', 'gossip.max_sends': '3', 'gossip.adaptive_targets': 'false',
            'gossip.piggyback_max': '58', 'gossip.retransmit_multiplier': str(retransmit),
            'probes.suspect_timeout_ms': str(round(24000 * scale)),
            'probes.suspect_timeout_min_ms': '4000', 'probes.suspect_multiplier': '0',
            'probes.suspect_jitter_ms': '0', 'lifeguard.confirmations': '2'}


# As bench/cluster gives swimd: our core, but memberlist's least time, helpers and confirmations.
ITS_TIMES = {'probes.indirect_k': '3', 'probes.suspect_timeout_ms': '4000',
             'probes.suspect_timeout_min_ms': '4000', 'lifeguard.confirmations': '2'}


def settings(name, size):
    return {'memberlist': lan(size), 'ours': {}, SAME: ITS_TIMES}[name]


def death_job(name, size, seed):
    def keep(report):
        news = [n for n in report['news'] if n['kind'] == 'kill'][0]
        return [news['first_suspected_s'], news['first_known_s'], news['share_all_s'],
                report['wrong']['failed']]
    return Job((name, size, seed), ['--nodes', str(size), '--for', '60s', '--kill', '1', '--seed', str(seed)]
               + lifeguard.flags(settings(name, size)), keep=keep)


NAMES = ['memberlist', 'ours']
SAME = 'ours with its times'


def measure(lab):
    deaths = lab.run(death_job(name, size, seed + 1)
                     for size in SIZES for name in NAMES + [SAME] for seed in range(SEEDS))
    cells = lab.run(lifeguard.interval_job(name, how, cell, seed + 1, settings(name, lifeguard.NODES))
                    for how in BLOCKS for name in NAMES for cell in CELLS for seed in range(CELL_SEEDS))
    rows = []
    for size in SIZES:
        for name in NAMES + [SAME]:
            kept = [deaths[name, size, seed + 1] for seed in range(SEEDS)]
            row = {'nodes': size, 'name': name, 'unnoticed': sum(k[2] is None for k in kept)}
            waits = [[k[1] - k[0]] for k in kept if k[1] is not None]
            for key, told, column in (('suspected', kept, 0), ('wait', waits, 0), ('first', kept, 1),
                                      ('all', kept, 2)):
                values = [k[column] for k in told if k[column] is not None]
                row[key] = [rounded(value) for value in
                            (min(values), percentile(values, 50), mean(values), max(values))]
            rows.append(row)
    false = [{'name': name, 'how': how,
              'fp': sum(k[0] for key, k in cells.items() if key[:2] == (name, how)),
              'fp_healthy': sum(k[1] for key, k in cells.items() if key[:2] == (name, how)),
              'datagrams': sum(k[2] for key, k in cells.items() if key[:2] == (name, how))}
             for how in BLOCKS for name in NAMES]
    return {'seeds': SEEDS, 'deaths': rows, 'false': false}


def pick(found, size, name):
    return [row for row in found['deaths'] if (row['nodes'], row['name']) == (size, name)][0]


def summary(found):
    parts, is_sooner = [], True
    for size in SIZES:
        ours, theirs = pick(found, size, 'ours'), pick(found, size, 'memberlist')
        parts.append(f'{number(ours["all"][1], 1)} against {number(theirs["all"][1], 1)}')
        is_sooner = is_sooner and ours['all'][1] < theirs['all'][1] and ours['all'][2] < theirs['all'][2]
    fp = {(row['name'], row['how']): (row['fp'], row['fp_healthy']) for row in found['false']}
    is_better = all(fp['ours', how][column] <= fp['memberlist', how][column]
                    for how in BLOCKS for column in range(2))
    return [
        ('a real death is known to all sooner than with memberlist’s settings, N = 10, 50, 100, median s',
         'sooner', '; '.join(parts), 'yes' if is_sooner else 'no'),
        ('… at no more false positives in Lifeguard’s grid (FP; FP−; with blocked threads)',
         f'{number(fp["memberlist", "io"][0])}; {number(fp["memberlist", "io"][1])}',
         f'{number(fp["ours", "io"][0])}; {number(fp["ours", "io"][1])}', 'yes' if is_better else 'no'),
    ]


def page(found):
    lines = []
    for row in found['deaths']:
        lines.append([f'{row["nodes"]}, {row["name"]}'] + [number(v) for key in ('suspected', 'wait', 'first', 'all')
                                                           for v in (row[key][1], row[key][3])])
    deaths = table(['members', 'suspected, median s', 'max', 'and from then on, median', 'max',
                    'first failed, median', 'max', 'known to all, median', 'max'], lines)
    false = table(['', 'FP', 'FP−', 'datagrams'],
                  [[f'{"threads" if row["how"] == "io" else "whole processes"} blocked, {row["name"]}',
                    number(row['fp']), number(row['fp_healthy']), number(row['datagrams'])]
                   for row in found['false']])
    example = death_job('memberlist', 100, 1)
    return f"""
memberlist's LAN profile (probes every second, time-out 500 ms, 3 helpers; gossip to 3 members every
200 ms; suspicion of 4 · log10 n seconds, six times as long without confirmations, of which two
suffice; Lifeguard) as settings of our core, against our defaults, in the same simulation. On real
machines with memberlist the first "failed" came after {', '.join(f'{t} s (N = {n})' for n, t in REAL.items())}.

One member is killed, {found['seeds']} seeds a line; seconds from the kill on:

{deaths}

With memberlist's least time, three helpers and two confirmations (`{SAME}`, what
`bench/cluster` gives swimd) a death is told when memberlist tells it: nobody is doubted before somebody's probe
comes to him, which is chance and the same for both, and where the confirmations come in time the rest
is that least time. What our defaults are ahead by is a least time of 3 s instead of 4 s.

And the price: false positives of Lifeguard's *Interval* experiment ({len(CELLS)} cells: C of 4, 8,
16, 32, D of 2,048, 16,384, 32,768 ms, I of 1, 64, 1,024, 4,096 ms; {CELL_SEEDS} seeds):

{false}

{code('build/swimsim ' + ' '.join(example.arguments()))}

Ours are the same command without the `--set`s. What this leaves out: memberlist also asks over TCP
before it suspects, and exchanges whole tables over TCP every 30 s.

![A death](evidence/memberlist.svg)
"""


def plots(found, folder):
    curves = []
    for name, dash in (('memberlist', 2), ('ours', 1)):
        for key in ('first', 'all'):
            title = f'{name}: {"first failed" if key == "first" else "known to all"}'
            curves.append(Curve(title, [(size, pick(found, size, name)[key][1]) for size in SIZES],
                                dash=dash))
    plot(os.path.join(folder, 'memberlist.svg'), f'A death, median of {found["seeds"]}', 'members',
         'seconds', curves, ['set logscale x', 'set xtics (10, 50, 100)', 'set yrange [0:*]'])
