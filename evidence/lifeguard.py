"""Lifeguard (arXiv 1707.00788v2): false accusations while some members are slow."""
import os

from lab import BLOCKED, Curve, DEAD, Job, code, number, percent, percentile, plot, rounded, table

NAME = 'lifeguard'
TITLE = 'Lifeguard: slow members'

NODES = 128
LOG10_NODES = 2.10721  # log10 128: our floor grows with log10 n by itself, the longest time does not
C_ALL = [1, 4, 8, 12, 16, 20, 24, 28, 32]
D_ALL = [128, 512, 2048, 8192, 16384, 32768]
I_ALL = [1, 4, 16, 64, 256, 1024, 4096, 16384]
C_SOME, D_SOME, I_SOME = [8, 32], [2048, 16384, 32768], [4, 1024]
SEEDS_SOME, SEEDS_ALL = 1, 10
THRESHOLD_C, THRESHOLD_D, THRESHOLD_SEEDS = [4, 32], [32768], 1
BLOCKS = ['io', 'process']

OFF = {'lifeguard.local_health': 'false', 'lifeguard.nack': 'false', 'lifeguard.buddy': 'false',
       'lifeguard.confirmations': '0'}
HEALTH = {'lifeguard.local_health': 'true', 'lifeguard.nack': 'true'}
SUSPICION = {'lifeguard.confirmations': '3'}
BUDDY = {'lifeguard.buddy': 'true'}


def times(alpha, beta):
    """Suspicion from alpha * beta * log10 n seconds down to alpha * log10 n, as in the paper."""
    return {'probes.suspect_timeout_ms': str(round(1000 * alpha * beta * LOG10_NODES)),
            'probes.suspect_timeout_min_ms': str(1000 * alpha), 'probes.suspect_multiplier': '0',
            'probes.suspect_jitter_ms': '0', 'probes.indirect_k': '3'}


CONFIGURATIONS = {
    'SWIM': {**OFF, **times(5, 1)},
    'LHA-Probe': {**OFF, **times(5, 1), **HEALTH},
    'LHA-Suspicion': {**OFF, **times(5, 6), **SUSPICION},
    'Buddy': {**OFF, **times(5, 1), **BUDDY},
    'Lifeguard': {**times(5, 6)},
    'Lifeguard α 4, β 6': {**times(4, 6)},
    'Lifeguard α 2, β 2': {**times(2, 2)},
    'our defaults': {},
}
# FP and FP- as a share of SWIM's, median first detection as a share of SWIM's, messages likewise.
PUBLISHED = {
    'SWIM': (339002, 1326, 12.44, 16.96, 19.40, 12.90, 16.93, 20.17, 435.33, 149.15),
    'LHA-Probe': (229574, 436, 12.42, 17.75, 20.10, 12.90, 17.98, 20.56, 428.62, 134.28),
    'LHA-Suspicion': (10174, 89, 12.42, 17.47, 25.41, 12.89, 17.33, 23.80, 484.55, 158.87),
    'Buddy': (318935, 591, 12.45, 17.12, 19.16, 12.92, 17.18, 19.81, 435.62, 147.67),
    'Lifeguard': (5193, 25, 12.45, 17.90, 21.20, 12.91, 18.05, 21.68, 481.42, 146.13),
}
# As a percentage of SWIM's: median first detection, FP, FP-.
PUBLISHED_OTHER = {'Lifeguard α 4, β 6': (83, 3.18, 4.83), 'Lifeguard α 2, β 2': (53, 98, 31)}


def flags(settings):
    return [word for key, value in settings.items() for word in ('--set', f'{key}={value}')]


def interval_scenario(count, blocked_ms, free_ms, how):
    """C members in lock-step: blocked for D, free for I, and so on for 120 s."""
    return (f'nodes = {NODES}\nfor = "{15 + 120 + blocked_ms / 1000:g}s"\n'
            f'[[at]]\ntime = "15s"\ndo = "block"\nwho = "random {count}"\nblocked = "{how}"\n'
            f'for = "{blocked_ms}ms"\nevery = "{blocked_ms + free_ms}ms"\nuntil = "135s"\n'
            'redraw = false\n')


def threshold_scenario(count, blocked_ms, how):
    return (f'nodes = {NODES}\nfor = "90s"\n'
            f'[[at]]\ntime = "15s"\ndo = "block"\nwho = "random {count}"\nblocked = "{how}"\n'
            f'for = "{blocked_ms}ms"\n')


def interval_job(name, how, cell, seed, settings):
    def keep(report):
        wrong, sent = report['wrong'], report['traffic']['sent']
        return [wrong['failed'], wrong['failed_by_healthy'], sent['datagrams'], sent['bytes'],
                wrong['faulted_failed']]
    return Job((name, how) + cell + (seed,), flags(settings) + ['--seed', str(seed)],
               interval_scenario(*cell, how), keep)


def threshold_job(name, how, cell, seed, settings):
    """For each blocked member: when the first healthy one declared it dead, and when all had."""
    count = cell[0]

    def keep(lines):
        blocked, told = set(), {}
        for line in lines:
            found = BLOCKED.match(line)
            if found:
                blocked.add(int(found[2]))
            found = DEAD.match(line)
            if found and int(found[3]) in blocked and int(found[2]) not in blocked:
                by = told.setdefault(int(found[3]), {})
                by.setdefault(int(found[2]), float(found[1]) - 15)
        assert len(blocked) == count
        return {'first': [min(by.values()) for by in told.values()],
                'all': [max(by.values()) for by in told.values() if len(by) == NODES - count],
                'blocked': count}
    return Job((name, how) + cell + (seed,), flags(settings) + ['--seed', str(seed)],
               threshold_scenario(*cell, how), keep, reads_trace='events')


def grid(lab):
    if lab.is_full:
        return C_ALL, D_ALL, I_ALL, SEEDS_ALL
    return C_SOME, D_SOME, I_SOME, SEEDS_SOME


def sum_up(name, how, interval, threshold):
    cells = [kept for key, kept in interval.items() if key[:2] == (name, how)]
    detections = [kept for key, kept in threshold.items() if key[:2] == (name, how)]
    first = [t for kept in detections for t in kept['first']]
    whole = [t for kept in detections for t in kept['all']]
    total = [sum(kept[column] for kept in cells) for column in range(5)]
    return {'name': name, 'how': how, 'fp': total[0], 'fp_healthy': total[1], 'datagrams': total[2],
            'bytes': total[3], 'detected': total[4],
            'blocked': sum(kept['blocked'] for kept in detections), 'noticed': len(first),
            'known_to_all': len(whole),
            'first': [rounded(percentile(first, share)) for share in (50, 99, 99.9)],
            'all': [rounded(percentile(whole, share)) for share in (50, 99, 99.9)]}


def by_count(interval, counts):
    """False positives by the number of slow members, for the plot."""
    sums = {}
    for key, kept in interval.items():
        name, how, count = key[:3]
        row = sums.setdefault(name + '/' + how, {c: 0 for c in counts})
        row[count] += kept[0]
    return {name: [[count, value] for count, value in row.items()] for name, row in sums.items()}


def measure(lab):
    counts, blocked, free, seeds = grid(lab)
    interval = lab.run(
        interval_job(name, how, (c, d, i), seed + 1, settings)
        for how in BLOCKS for name, settings in CONFIGURATIONS.items()
        for c in counts for d in blocked for i in free for seed in range(seeds))
    threshold = lab.run(
        threshold_job(name, how, (c, d), seed + 1, settings)
        for how in BLOCKS for name, settings in CONFIGURATIONS.items()
        for c in THRESHOLD_C for d in THRESHOLD_D for seed in range(THRESHOLD_SEEDS))
    return {'grid': {'C': counts, 'D_ms': blocked, 'I_ms': free, 'seeds': seeds, 'is_full': lab.is_full},
            'rows': [sum_up(name, how, interval, threshold) for how in BLOCKS for name in CONFIGURATIONS],
            'by_count': by_count(interval, counts)}


def rows_of(found, how):
    return {row['name']: row for row in found['rows'] if row['how'] == how}


def share(row, base, key):
    return percent(row[key], base[key])


def summary(found):
    rows = rows_of(found, 'io')
    base, ours = rows['SWIM'], rows['Lifeguard']
    fp = ours['fp'] / base['fp'] if base['fp'] else 0
    minus = ours['fp_healthy'] / base['fp_healthy'] if base['fp_healthy'] else 0
    time = ours['first'][0] / base['first'][0] - 1
    load = ours['datagrams'] / base['datagrams']
    return [
        ('Lifeguard α 5, β 6: false positives, of the baseline’s', '1.53 %; demanded ≤ 1.5 %',
         f'{100 * fp:.2f} %', 'yes' if fp <= 0.015 else 'no'),
        ('Lifeguard α 5, β 6: those by healthy members of healthy ones', '1.89 %; demanded ≤ 1.9 %',
         f'{100 * minus:.2f} %', 'yes' if minus <= 0.019 else 'no'),
        ('Lifeguard: median of first detection, against the baseline', 'within 1 %',
         f'{100 * time:+.2f} %', 'yes' if abs(time) <= 0.01 else 'no'),
        ('Lifeguard: datagrams, of the baseline’s', '111 %', f'{100 * load:.1f} %',
         'yes' if load <= 1.11 else 'no'),
    ]


def false_table(found, how):
    rows = rows_of(found, how)
    base = rows['SWIM']
    lines = []
    for name in CONFIGURATIONS:
        row = rows[name]
        if name in PUBLISHED:
            theirs = PUBLISHED[name]
            published = [percent(theirs[0], PUBLISHED['SWIM'][0]), percent(theirs[1], PUBLISHED['SWIM'][1]),
                         percent(theirs[8], PUBLISHED['SWIM'][8], 1)]
        else:
            other = PUBLISHED_OTHER.get(name)
            published = [f'{other[1]} %', f'{other[2]} %', '–'] if other else ['–'] * 3
        lines.append([name, number(row['fp']), share(row, base, 'fp'), published[0],
                      number(row['fp_healthy']), share(row, base, 'fp_healthy'), published[1],
                      percent(row['datagrams'], base['datagrams'], 1), published[2],
                      percent(row['bytes'], base['bytes'], 1)])
    return table(['', 'FP', 'of SWIM’s', 'published', 'FP−', 'of SWIM’s', 'published', 'datagrams',
                  'published', 'bytes'], lines)


def time_table(found, how):
    rows = rows_of(found, how)
    lines = []
    for name in CONFIGURATIONS:
        row = rows[name]
        theirs = PUBLISHED.get(name)
        both = ['/'.join(number(value) for value in row[key]) for key in ('first', 'all')]
        published = ['/'.join(f'{value:.2f}' for value in theirs[2:5]),
                     '/'.join(f'{value:.2f}' for value in theirs[5:8])] if theirs else ['–', '–']
        lines.append([name, f'{row["noticed"]} of {row["blocked"]}', both[0], published[0], both[1],
                      published[1]])
    return table(['', 'noticed', 'first, s', 'published', 'all, s', 'published'], lines)


def page(found):
    cells = found['grid']
    how_many = len(cells['C']) * len(cells['D_ms']) * len(cells['I_ms'])
    size = 'the whole grid' if cells['is_full'] else 'a fixed part of the grid'
    example = interval_job('Lifeguard', 'io', (8, 2048, 64), 1, CONFIGURATIONS['Lifeguard'])
    return f"""
**Published**: {NODES} members, probes every second, 15 quiet seconds; then C of them, in lock-step,
are blocked before every send and after every receive for D, run freely for I, and so on for two
minutes (*Interval*), or are blocked once (*Threshold*). FP: a healthy member is declared dead by
anybody; FP−: by a healthy one. Baseline: the same program as SWIM, a suspicion of 5 · log10 n
seconds (α 5, β 1). Lifeguard: from 30 · log10 n seconds (β 6) down to that with three
confirmations.

**Ours**: the same, with our baseline (all four parts off, no jitter, the same times), {size}: C of
{cells['C']}, D of {cells['D_ms']} ms, I of {cells['I_ms']} ms, {cells['seeds']} seeds: {how_many}
cells, {how_many * cells['seeds']} runs a line. `tools/evidence --full-grid` runs all
{len(C_ALL) * len(D_ALL) * len(I_ALL)} cells with {SEEDS_ALL} seeds. A member is slow from its first
block to 15 s after its last. LHA-Probe is `local_health` and `nack`, LHA-Suspicion `confirmations`,
Buddy `buddy`; each alone over the baseline.

The paper's agents block a thread at the socket while their timers go on. That is `blocked =
"io"`:

{false_table(found, 'io')}

Our daemon has one thread: when it blocks, its timers stop too, and a pause of one's own is no
evidence against others (protocol.md, section 5). That is `blocked = "process"`:

{false_table(found, 'process')}

![False positives](evidence/lifeguard.svg)

**Detection**, from Threshold runs (C of {THRESHOLD_C}, D of {THRESHOLD_D} ms, {THRESHOLD_SEEDS}
seeds): from the beginning of the block until the first healthy member declares the blocked one
dead, and until all healthy ones have; median/99 %/99.9 % in seconds. "Noticed" are those that were
declared dead at all before they were back.

{time_table(found, 'io')}

One cell, C = 8, D = 2,048 ms, I = 64 ms, as a scenario, and its command:

{code(*example.scenario.strip().splitlines())}

{code('build/swimsim run SCENARIO ' + ' '.join(example.flags))}
"""


def plots(found, folder):
    curves = []
    for name in ('SWIM', 'LHA-Probe', 'LHA-Suspicion', 'Buddy', 'Lifeguard', 'our defaults'):
        points = found['by_count'].get(name + '/io', [])
        curves.append(Curve(name, [(count, value + 0.5) for count, value in points]))
    plot(os.path.join(folder, 'lifeguard.svg'), 'Healthy members declared dead (timers go on)',
         'slow members', 'false positives + 0.5', curves, ['set logscale y', 'set format y "%g"'])
