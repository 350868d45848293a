"""What a member sends by the size of its cluster: idle, for one change, and when many are news at once."""
import math
import os

from lab import Curve, Job, code, memory_of, number, plot, rounded, table

NAME = 'scale'
TITLE = 'Bandwidth by the size of the cluster'

SIZES = [10, 32, 100, 316, 1000, 3162, 10000]
AT = 10  # seconds: when the change is, and what is idle before
LASTS = 30  # seconds after it
IDLE_FROM = 2
# Many that are news at once: what, members, members of whom each must be told, flags, when it starts.
MEETING = """nodes = {n}
for = "50s"
[start]
how = "together"
clusters = 2
[[at]]
time = "20s"
do = "seeds"
who = "7"
other = "{other}"
"""
ENTRY = 24  # bytes


def rates(samples, begin, end):
    """Datagrams and bytes a member and second between two moments."""
    first = [s for s in samples if s['at_s'] >= begin][0]
    last = [s for s in samples if s['at_s'] <= end][-1]
    spent = last['member_seconds'] - first['member_seconds']
    return [(last[key] - first[key]) / spent for key in ('datagrams_sent', 'bytes_sent')], last['at_s'] - first['at_s']


def change_job(size, what):
    def keep(report):
        idle, _ = rates(report['samples'], IDLE_FROM, AT - 1)
        after, lasted = rates(report['samples'], AT - 1, AT + LASTS)
        return {'idle_datagrams': rounded(idle[0]), 'idle_bytes': rounded(idle[1]),
                'datagrams': rounded(max(0, after[0] - idle[0]) * lasted),
                'bytes': rounded(max(0, after[1] - idle[1]) * lasted)}
    return Job((what, size), ['--nodes', str(size), f'--{what}', f'1@{AT}s', '--for', f'{AT + LASTS}s'],
               keep=keep, is_checked=False, memory_mib=memory_of(size))


def crowd_keep(begin):
    def keep(report):
        samples = [s for s in report['samples'] if s['at_s'] >= begin]
        first = samples[0] if begin else {'datagrams_sent': 0, 'bytes_sent': 0}
        last, members = samples[-1], report['run']['running_at_end']
        return {'seconds': rounded(report['convergence']['since_s'] - begin),
                'agrees': report['convergence']['at_end'],
                'datagrams': rounded((last['datagrams_sent'] - first['datagrams_sent']) / members
                                     - 2 * (last['at_s'] - begin)),
                'bytes': rounded((last['bytes_sent'] - first['bytes_sent']) / members
                                 - 96 * (last['at_s'] - begin))}
    return keep


def crowd_jobs():
    for size in (100, 1000, 2000):
        yield Job((f'{size:,} start at once, with one seed', size), ['--nodes', str(size), '--start', 'together', '--for', '30s'],
                  keep=crowd_keep(0), is_checked=False, memory_mib=memory_of(size))
    for size in (200, 1000):
        yield Job((f'two clusters of {size // 2:,} meet', size // 2), scenario=MEETING.format(n=size, other=size // 2 + 9),
                  keep=crowd_keep(20), is_checked=False, memory_mib=memory_of(size))
    yield Job(('100 more join 1,000', 100), ['--nodes', '1000', '--join', '100@10s', '--for', '40s'],
              keep=crowd_keep(10), is_checked=False, memory_mib=memory_of(1100))


def slope(points):
    """Least squares: how much more for each doubling of the members."""
    xs, ys = [math.log2(n) for n, _ in points], [y for _, y in points]
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / sum((x - mx) ** 2 for x in xs)


def measure(lab):
    kept = lab.run(change_job(size, what) for size in SIZES for what in ('join', 'kill'))
    crowds = lab.run(crowd_jobs())
    return {'changes': [dict(what=what, nodes=size, **kept[what, size])
                        for what in ('join', 'kill') for size in SIZES],
            'crowds': [dict(what=what, news=news, **row) for (what, news), row in crowds.items()]}


def points_of(found, what, key):
    return [(row['nodes'], row[key]) for row in found['changes'] if row['what'] == what]


def summary(found):
    idle = [row['idle_datagrams'] for row in found['changes']]
    joins, kills = points_of(found, 'join', 'datagrams'), points_of(found, 'kill', 'datagrams')
    # As a power of n the growth of a logarithm is small, and gets smaller.
    is_log = all(y / math.log2(n) <= 1.25 * ys[0][1] / math.log2(ys[0][0]) for ys in (joins, kills) for n, y in ys)
    return [('an idle member: datagrams a second, N = 10 … 10,000', 'flat', f'{number(min(idle))} … {number(max(idle))}',
             'yes' if max(idle) - min(idle) < 0.02 else 'no'),
            ('one join, one death: datagrams a member for each doubling of N', 'O(log N)',
             f'{number(slope(joins), 1)}; {number(slope(kills), 1)}', 'yes' if is_log else 'no')]


def page(found):
    lines = []
    for size in SIZES:
        join, kill = ([row for row in found['changes'] if row['what'] == what and row['nodes'] == size][0]
                      for what in ('join', 'kill'))
        log = math.ceil(math.log2(size))
        lines.append([f'{size:,}', number(join['idle_datagrams'], 3), number(join['idle_bytes'], 1),
                      number(join['datagrams'], 1), number(join['datagrams'] / log), number(join['bytes'], 0),
                      number(kill['datagrams'], 1), number(kill['datagrams'] / log), number(kill['bytes'], 0)])
    crowds = [[row['what'], number(row['seconds'], 1) if row['agrees'] else '–', number(row['datagrams'], 0),
               number(row['bytes'] / 1000, 1), number(row['news'] * ENTRY / 1000, 1),
               number(row['bytes'] / (row['news'] * ENTRY), 1)] for row in found['crowds']]
    return f"""
**Idle, and one change.** What a member sends: a second while nothing happens (a PING and an ACK), and in all for
one member that joins, or is killed, beside that. News is told to lg n members a round for as long as it is
news, so it is datagrams that grow with lg n; a death is news twice, first as suspicion, then as such, and
beside it its accusers are.

{table(['members', 'idle: datagrams', 'bytes', 'a join: datagrams', 'by lg n', 'bytes', 'a death: datagrams', 'by lg n', 'bytes'], lines)}

{code(*('build/swimsim ' + ' '.join(change_job(1000, what).arguments()) for what in ('join', 'kill')))}

![What one change costs](evidence/scale.svg)

**Many at once.** What a member sends beside idle probes until all is quiet, against the least: an entry of
24 bytes for each that it must be told of.

{table(['', 'all see all after, s', 'datagrams', 'kB', 'least, kB', 'times'], crowds)}

{code('build/swimsim run --nodes 1000 --start together --for 30s --no-checks')}
"""


def plots(found, folder):
    curves = [Curve(title, points_of(found, what, key)) for title, what, key in (
        ('a death', 'kill', 'datagrams'), ('a join', 'join', 'datagrams'), ('a second, idle', 'join', 'idle_datagrams'))]
    plot(os.path.join(folder, 'scale.svg'), 'Datagrams that a member sends', 'members', 'datagrams', curves,
         ['set logscale x', 'set yrange [0:*]'])
