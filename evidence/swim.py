"""The SWIM paper's own measurements (DSN 2002, section 5)."""
import math
import os

from lab import (Curve, DEAD, Job, PING, SENT, code, command, mean, memory_of,
                 number, percentile, plot, rounded,
                 table)

NAME = 'swim'
TITLE = 'SWIM: load, detection, robustness'

SETTLING = 10  # seconds that are not measured
PERIOD = 1.0  # seconds: probe_interval_ms, the default
LOAD_SIZES = [10, 32, 100, 316, 1000, 3162]
# Members, members killed one after the other, seconds between them, runs.
DETECTION = [(10, 1, 1, 400), (32, 4, 4, 100), (100, 20, 4, 20), (1000, 200, 1, 2)]
GAPS = [(10, 300), (28, 600), (100, 1200)]
JOIN_SEEDS = 20

E_RATIO = math.e / (math.e - 1)


def load_job(size):
    def keep(report):
        before = [s for s in report['samples'] if s['at_s'] >= SETTLING][0]
        after = report['samples'][-1]
        periods = (after['member_seconds'] - before['member_seconds']) / PERIOD
        return {key: rounded((after[key] - before[key]) / periods)
                for key in ('datagrams_sent', 'bytes_sent')}
    return Job(size, ['--nodes', str(size), '--for', f'{SETTLING + 60}s'], keep=keep, is_checked=size < 2000,
               memory_mib=memory_of(size))



def detection_job(size, kills, apart, seed):
    """A kill at a random phase of the periods: rounds begin at random anyway."""
    text = (f'nodes = {size}\nfor = "{10 + math.ceil(kills * apart) + 40}s"\n'
            f'[[at]]\ntime = "10s"\ndo = "kill"\nwho = "random 1"\n'
            f'every = "{max(apart, 0.001):g}s"\nuntil = "{10 + kills * apart - apart / 2:g}s"\n')

    def keep(report):
        return [news['first_suspected_s'] for news in report['news'] if news['kind'] == 'kill']
    return Job((size, seed), ['--seed', str(seed)], text, keep, is_checked=size < 2000,
               memory_mib=memory_of(size))


def gap_job(size, seconds):
    """Rounds between two probes of one member by one other; and what one sends in a period."""
    def keep(lines):
        rounds, last, worst, sent = {}, {}, 0, {}
        for line in lines:
            found = SENT.match(line)
            if not found or float(found[1]) < SETTLING:
                continue
            who, whom = int(found[2]), int(found[3])
            period = (who, int(float(found[1]) / PERIOD))
            sent[period] = sent.get(period, 0) + 1
            if not PING.match(line):
                continue
            rounds[who] = rounds.get(who, 0) + 1
            if (who, whom) in last:
                worst = max(worst, rounds[who] - last[who, whom])
            last[who, whom] = rounds[who]
        counts = list(sent.values())
        return {'worst': worst, 'bound': 2 * (size - 1) - 1, 'pairs': len(last),
                'sent_p99': percentile(counts, 99), 'sent_max': max(counts),
                'below_5': rounded(sum(count < 5 for count in counts) / len(counts), 4)}
    return Job(size, ['--nodes', str(size), '--for', f'{seconds}s'], keep=keep,
               reads_trace='datagrams')


def join_job(seed):
    def keep(report):
        late = [s for s in report['samples'] if s['at_s'] >= 300]
        return {'min': min(s['seen_min'] for s in late), 'max': max(s['seen_max'] for s in late),
                'end': report['samples'][-1]['seen_min'], 'failed': report['wrong']['failed'],
                'suspected': report['wrong']['suspected']}
    return Job(seed, ['--nodes', '17', '--start', 'one by one', '--loss', '10%', '--for', '600s',
                      '--seed', str(seed)], keep=keep)


def measure(lab):
    load = lab.run(load_job(size) for size in LOAD_SIZES)
    times = lab.run(detection_job(size, kills, apart, seed + 1)
                    for size, kills, apart, runs in DETECTION for seed in range(runs))
    detection = []
    for size, *_ in DETECTION:
        all_times = [t for key, kept in times.items() if key[0] == size for t in kept]
        seen = [t for t in all_times if t is not None]
        # A suspicion comes one period after the PING that was not answered.
        periods = [max(1, math.ceil((t - PERIOD) / PERIOD)) for t in seen]
        detection.append({'nodes': size, 'kills': len(all_times), 'unnoticed': len(all_times) - len(seen),
                          'periods': rounded(mean(periods)), 'seconds': rounded(mean(seen)),
                          'p99': rounded(percentile(seen, 99))})
    gaps = lab.run(gap_job(*gap) for gap in GAPS)
    joins = lab.run(join_job(seed + 1) for seed in range(JOIN_SEEDS))
    return {'load': [dict(nodes=size, **load[size]) for size in LOAD_SIZES], 'detection': detection,
            'gaps': [dict(nodes=size, **gaps[size]) for size, _ in GAPS],
            'joins': [dict(seed=seed, **kept) for seed, kept in joins.items()]}


def summary(found):
    sent = [row['datagrams_sent'] for row in found['load']]
    periods = [row['periods'] for row in found['detection']]
    is_flat = max(sent) - min(sent) < 0.1
    is_whole = all(row['end'] == 17 for row in found['joins'])
    return [
        ('SWIM: datagrams sent a member and period, N = 10 … 3,162', '2.0, flat',
         f'{number(min(sent))} … {number(max(sent))}', 'yes' if is_flat else 'no'),
        ('SWIM: first detection, mean, in periods', number(E_RATIO),
         f'{number(min(periods))} … {number(max(periods))}',
         'yes' if max(periods) < 1.15 * E_RATIO else 'no'),
        ('SWIM: rounds between two probes of one member, n others', 'at most 2n − 1',
         ', '.join(f'{row["worst"]} of {row["bound"]}' for row in found['gaps']),
         'yes' if all(row['worst'] <= row['bound'] for row in found['gaps']) else 'no'),
        ('SWIM: 17 joins with 10 % loss, stable size', '12 (suspicion), 4, 2; demanded 17',
         f'17 in {sum(row["end"] == 17 for row in found["joins"])} of {len(found["joins"])} runs',
         'yes' if is_whole else 'no'),
    ]


def page(found):
    load = table(['members', 'datagrams', 'bytes'],
                 [(number(r['nodes']), number(r['datagrams_sent'], 3), number(r['bytes_sent'], 1))
                  for r in found['load']])
    detection = table(['members', 'kills', 'unnoticed', 'periods, mean', 'seconds, mean', 'seconds, 99 %'],
                      [(number(r['nodes']), number(r['kills']), r['unnoticed'], number(r['periods'], 3),
                        number(r['seconds'], 3), number(r['p99'], 3)) for r in found['detection']])
    gaps = table(['members', 'pairs', 'worst gap, rounds', '2n − 1', 'sent a period, 99 %', 'max',
                  'below 5'],
                 [(r['nodes'], number(r['pairs']), r['worst'], r['bound'], r['sent_p99'], r['sent_max'],
                   f'{100 * r["below_5"]:.2f} %') for r in found['gaps']])
    joins = found['joins']
    low = min(r['min'] for r in joins)
    return f"""
**Published** (DSN 2002, section 5; one member a host, up to 55 of them, period 2 s): 2.0 messages
sent and 2.0 received a member and period, at every N; with 28 members fewer than 5 sent with a
probability of 0.99. First detection after e ÷ (e − 1) = {E_RATIO:.2f} periods on average, at every
N. With n other members at most 2n − 1 periods between two probes of one of them. With 10 % loss and
17 joins one after the other the group is stable at 12 members with suspicion, 4 without, 2 in the
basic protocol.

**Load.** A minute of a quiet cluster, our period of 1 s; sent (and, nothing being lost,
received) a member and period:

{load}

{code(command(load_job(1000)))}

**First detection.** Members are killed one after the other; counted is the period in which
somebody first sends a PING to the dead one (the paper's rounds are in step, ours are not), and the
time until the first suspicion, which is a period later, since an answer may come until then.

{detection}

The command is `build/swimsim run` with this scenario, and other numbers for the other sizes:

{code(*detection_job(100, 20, 4, 1).scenario.strip().splitlines())}

![First detection](evidence/swim-detection.svg)

**Gaps.** From a trace of every datagram of a quiet cluster; also what a member sends in any one period.

{gaps}

{code(command(gap_job(28, 600)) + ' --quiet --trace --datagrams')}

**Joins.** 17 members start a second apart, every datagram is lost with 10 %, for ten minutes. At the
end all 17 are held by all 17 in {sum(r['end'] == 17 for r in joins)} of {len(joins)} runs. From the
fifth minute on the smallest number held by any member at any second of any run was {low}; live
members were declared dead {sum(r['failed'] for r in joins)} times, suspected
{number(sum(r['suspected'] for r in joins) / len(joins), 0)} times a run on average.

{code(command(join_job(1)))}
"""


def plots(found, folder):
    plot(os.path.join(folder, 'swim-detection.svg'), 'First detection of a death', 'members', 'periods',
         [Curve('until the PING that finds it, mean', [(r['nodes'], r['periods']) for r in found['detection']]),
          Curve('until it is suspected, mean', [(r['nodes'], r['seconds'] / PERIOD)
                                                 for r in found['detection']]),
          Curve('e / (e - 1)', [(10, E_RATIO), (1000, E_RATIO)], 'lines', 2)],
         ['set logscale x', 'set yrange [0:3]'])
