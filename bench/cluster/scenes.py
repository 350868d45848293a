"""What is done to a cluster, and measured. Each returns figures by name, `deaths` a list of such;
None: it never came."""
import signal
import time

from agents import Cluster, cpu_ns, pss_kib, traffic
from kinds import FAILED, SUSPECTED

# Agents a second on this many processors: more, and the starts themselves are the load.
STAGGER_S = 0.1
STAGGER_MANY_S = 0.3
MANY = 150
PAUSE_S = 2.5
PAUSED_SHARE = 0.2
STORM_WATCH_S = 60
# How soon a death is told depends on whose probe comes first: one kill says little.
KILLS = 6
KILLS_MANY = 1
MANY_TO_KILL = 20
DEATH_USUAL_S = 8


def form(cluster, gap, seconds):
    """Starts all, the first one being the seed of the others. Seconds from the last start until
    all see all."""
    ports = list(cluster.ports())
    for port in ports:
        cluster.start(port, None if port == ports[0] else ports[0])
        time.sleep(gap)
    last = cluster.agents[ports[-1]].started
    formed = cluster.await_views(seconds, all_must_run=True)
    return formed - last if formed else None


def idle(cluster, options):
    """What a member costs when nothing happens."""
    time.sleep(options.settle)
    pids = [agent.process.pid for agent in cluster.agents.values()]
    before, cpu = traffic(), {pid: cpu_ns(pid) for pid in pids}
    start = time.monotonic()
    time.sleep(options.idle)
    took = time.monotonic() - start
    cluster.check_running()
    spent = sum(cpu_ns(pid) - cpu[pid] for pid in pids)
    after = traffic()
    node_seconds = took * len(pids)
    return {'cpu_ms': spent / 1e6 / node_seconds,
            'pss_kib': sum(map(pss_kib, pids)) / len(pids),
            'datagrams': (after[0] - before[0]) / node_seconds,
            'bytes': (after[1] - before[1]) / node_seconds}


def death(cluster, victim, seconds):
    """kill -9 of one: when the first suspects it, when it is failed for the first, and for all."""
    start = time.monotonic()
    cluster.kill(victim)
    known = cluster.await_views(seconds)

    def first(kind):
        told = [event[0] for event in cluster.since(start, kind) if event[3] == victim]
        return min(told) - start if told else None
    return {'first_suspected_s': first(SUSPECTED), 'first_failed_s': first(FAILED),
            'all_failed_s': known - start if known else None}


def rejoin(cluster, victim, seconds):
    """The one that was killed starts again, at the same place."""
    agent = cluster.start(victim, cluster.ports()[0])
    seen = cluster.await_views(seconds)
    return {'rejoin_s': seen - agent.started if seen else None}


def kills(count, options):
    return options.kills or (KILLS if count <= MANY_TO_KILL else KILLS_MANY)


def victims(ports, count):
    """In turn, from the middle on; never the seed of the others, which is the first."""
    others = ports[1:]
    return [others[(len(ports) // 2 - 1 + turn) % len(others)] for turn in range(count)]


def deaths(cluster, options):
    """Members are killed and started again, each when the cluster is idle; until one does not
    come back."""
    told = []
    for victim in victims(cluster.ports(), kills(cluster.count, options)):
        if told:
            time.sleep(options.settle)
        told.append(death(cluster, victim, options.bound))
        told[-1].update(rejoin(cluster, victim, options.bound))
        if told[-1]['rejoin_s'] is None:
            break
    return told


def pause(cluster, seconds):
    """A fifth of the members stand still for PAUSE_S. Doubts are counted about the others."""
    ports = sorted(cluster.agents)
    paused = set(ports[1::int(1 / PAUSED_SHARE)])
    start = time.monotonic()
    for port in paused:
        cluster.agents[port].signal(signal.SIGSTOP)
    time.sleep(PAUSE_S)
    for port in paused:
        cluster.agents[port].signal(signal.SIGCONT)
    time.sleep(max(0, start + seconds / 2 - time.monotonic()))
    whole = cluster.await_views(seconds / 2)
    doubts = cluster.doubts(start, set(ports) - paused)
    return {'pause_healthy_suspected': doubts['suspected'],
            'pause_healthy_failed': doubts['failed'],
            'pause_whole': whole is not None}


def stagger(count):
    return STAGGER_S if count < MANY else STAGGER_MANY_S


def life(kind, count, options):
    """The whole story of one cluster. Where all never see all, no death could be known to all."""
    bound = options.bound
    cluster = Cluster(kind, count)
    try:
        figures = {'all_see_all_s': form(cluster, stagger(count), bound)}
        figures.update(idle(cluster, options))
        if figures['all_see_all_s'] is not None:
            figures['deaths'] = deaths(cluster, options)
        figures.update(pause(cluster, bound / 2))
        return figures
    finally:
        cluster.end()


def bare(kind, count, options):
    """The idle part of a life, of as many processes that do nothing but probe and answer."""
    cluster = Cluster(kind, count)
    try:
        for port in cluster.ports():
            cluster.start(port)
        return idle(cluster, options)
    finally:
        cluster.end()


def storm(kind, count, options):
    """All start 0.1 s apart, are watched for a minute, then a fifth of them pauses."""
    bound = options.bound
    cluster = Cluster(kind, count)
    try:
        start = time.monotonic()
        figures = {'storm_all_see_all_s': form(cluster, STAGGER_S, bound)}
        time.sleep(max(0, start + count * STAGGER_S + STORM_WATCH_S - time.monotonic()))
        doubts = cluster.doubts(start, set(cluster.ports()))
        figures.update({'storm_healthy_suspected': doubts['suspected'],
                        'storm_healthy_failed': doubts['failed']})
        figures.update(pause(cluster, bound / 2))
        return figures
    finally:
        cluster.end()


def never(name):
    """The figures of a scene whose agents ended by themselves."""
    return {'all_see_all_s' if name == 'life' else 'storm_all_see_all_s': None}


def usual_s(name, count, options, is_bare):
    """How long a scene takes where members come to see each other, as they do but in storms."""
    idle_s = options.settle + options.idle
    pause_s = options.bound / 4
    if name == 'storm':
        return count * STAGGER_S + STORM_WATCH_S + pause_s
    if is_bare:
        return idle_s
    return (count * stagger(count) + idle_s + pause_s
            + kills(count, options) * (options.settle + DEATH_USUAL_S))
