"""What Rapid (ATC 2018) blames gossip membership for."""
from lab import Job, code, memory_of, number, rounded, table

NAME = 'rapid'
TITLE = 'Rapid’s complaints'

SEEDS = 3


def bootstrap(seed):
    def keep(report):
        return [report['convergence']['after_last_start_s'], report['convergence']['sizes_told']]
    return Job(('bootstrap', seed), ['--seed', str(seed)], 'scenarios/bootstrap-2000.toml', keep,
               is_checked=False, memory_mib=memory_of(2000))


def faulty(kind, nodes, flags, seed):
    def keep(report):
        wrong = report['wrong']
        return [wrong['failed'], wrong['oscillations'], wrong['faulted_failed'],
                report['failure'] if not report['is_ok'] else None]
    return Job((kind, seed), ['--nodes', str(nodes), '--seed', str(seed)] + flags[1:], flags[0], keep,
               may_fail=True, memory_mib=memory_of(nodes))


KINDS = {
    'flip-flop': ('1 % of 1,000 lose all that they are sent, 20 s of every 40 s',
                  ['scenarios/flip-flop.toml', '--for', '3m']),
    'egress': ('1 % of 1,000 lose 80 % of what they send',
               ['scenarios/one-way-loss.toml', '--for', '3m']),
    'ingress': ('1 % of 1,000 lose 80 % of what they are sent',
                ['evidence/ingress-loss.toml', '--for', '3m']),
}


def crashes(seed):
    def keep(report):
        sent = report['traffic']['sent_a_member_second']
        received = report['traffic']['received_a_member_second']
        return [report['detection']['failed_at_all']['max_s'], sent['bytes_mean'],
                received['bytes_mean'], sent['busiest_second_bytes'],
                received['busiest_second_bytes'], report['detection']['kills_not_known_to_all']]
    return Job(('crashes', seed), ['--seed', str(seed)], 'scenarios/kill-ten-of-1000.toml', keep,
               memory_mib=memory_of(1000))


def measure(lab):
    jobs = [bootstrap(1), bootstrap(2)]
    jobs += [faulty(kind, 1000, flags, seed + 1)
             for kind, (_, flags) in KINDS.items() for seed in range(2)]
    jobs += [crashes(seed + 1) for seed in range(SEEDS)]
    kept = lab.run(jobs)
    return {
        'bootstrap': [kept['bootstrap', seed] for seed in (1, 2)],
        'faulty': {kind: [kept[kind, seed + 1] for seed in range(2)] for kind in KINDS},
        'crashes': [[rounded(v) for v in kept['crashes', seed + 1]] for seed in range(SEEDS)],
    }


def worst(found, kind, column):
    return max(row[column] for row in found['faulty'][kind])


def kilobytes(found, column, pick):
    return pick(row[column] for row in found['crashes']) / 1000


def summary(found):
    slowest = max(row[0] or 1e9 for row in found['bootstrap'])
    removed = sum(worst(found, kind, 0) for kind in KINDS)
    return [
        ('Rapid: 2,000 members join one seed at once, all see all, s', 'up to 95', number(slowest, 1),
         'yes' if slowest < 95 else 'no'),
        ('… no healthy member is ever removed while 1 % flip-flop, or lose 80 % one way', '0',
         number(removed), 'yes' if removed == 0 else 'no'),
        ('… 10 of 1,000 crash at once: received / sent, KB a member and second, mean; busiest second',
         '0.54 / 0.64; 7.36 / 8.04',
         f'{number(kilobytes(found, 2, max))} / {number(kilobytes(found, 1, max))}; '
         f'{number(kilobytes(found, 4, max))} / {number(kilobytes(found, 3, max))}',
         'yes' if kilobytes(found, 1, max) <= 0.64 else 'no'),
    ]


def page(found):
    boot = table(['bootstrap of 2,000', 'all see all after the last start, s', 'sizes reported on the way'],
                 [[f'seed {seed + 1}', number(row[0], 2), number(row[1])]
                  for seed, row in enumerate(found['bootstrap'])])
    bad = table(['', 'healthy members declared dead', 'oscillations of them', 'faulty ones declared dead'],
                [[KINDS[kind][0], number(worst(found, kind, 0)), number(worst(found, kind, 1)),
                  number(worst(found, kind, 2))] for kind in KINDS])
    crash = table(['10 of 1,000 crash', 'the last is known to all after, s', 'sent, KB a member and second',
                   'received', 'busiest second sent, KB', 'received'],
                  [[f'seed {seed + 1}', number(row[0], 1), number(row[1] / 1000), number(row[2] / 1000),
                    number(row[3] / 1000), number(row[4] / 1000)]
                   for seed, row in enumerate(found['crashes'])])
    return f"""
*Published:* memberlist takes up to 95 s on average to bootstrap 2,000 members, and reports 1,858
different sizes on the way (Rapid: 4); with 1 % of the members losing their ingress 20 s on and 20 s
off it oscillates and never removes them all; with 80 % one-way loss it never concludes; ten crashes
among 1,000 cost 0.54 / 0.64 KB received / sent a member and second, 7.36 / 8.04 at most.

{boot}

{code('build/swimsim bootstrap-2000 --no-checks --seed 1')}

Sizes are many here, too: each member says what it knows when it knows it, and there is no view that
all change to at once. That is the price of having no agreement protocol.

{bad}

{code(*[f'build/swimsim {flags[0]} --nodes 1000 --seed 1 {" ".join(flags[1:])}' for _, flags in KINDS.values()])}

Sums over all observers; the worse of two seeds. A faulty member is declared dead and comes back as
often as its fault ends: that is no oscillation of the healthy.

{crash}

{code('build/swimsim kill-ten-of-1000 --seed 1')}

The mean is over the whole minute, the busiest second that of the one member that had it.
"""
