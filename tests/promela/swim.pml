/*
 * swim.pml - the protocol of docs/protocol.md for three members, for the model checker spin.
 *
 * Question: can a live member stay dead, forgotten, suspect or unknown for ever in another's
 * table once messages flow again? And on the way there: does an incarnation ever go back, does
 * anybody claim more of a member than it said itself, does a member ever doubt itself?
 *
 *      phase 1, faults: any of these, in any order, for as long as it likes
 *          a clock ticks; a probe fails; a suspicion ends in a death; a tombstone is forgotten,
 *          a forgotten id is unknown; somebody probes, tries an address, or synchronises, and of
 *          all the datagrams that follow each may be lost
 *      phase 2, quiet: from any state of phase 1; no datagram is lost and no probe fails
 *          rounds, in each of which every member turns to both others once, in any order: it
 *          probes and, when views differ, synchronises; or it tries the address. The timers
 *          of phase 1 still end whenever they like, or never.
 *
 * Claims:
 *      ROUNDS=n  by an assertion: after n rounds of quiet all three hold all three alive (and
 *                since nothing that is enabled then changes it, for good)
 *      else      by the LTL formula `heals`: the same at some time, for good, without a bound
 *      both      the assertions in apply(), hear_self(), audit()
 *
 * Bounds (-D):
 *      FAILS=n   at most n probes fail in a run; by default any number
 *      LATE=1    the network may keep one datagram at a time and deliver it at any later time, in
 *                addition to or instead of now, in both phases
 *
 * What is exact and what is left out:
 *  - Numbers. Incarnations and heartbeats are compared, and grow to one above the greatest; no
 *    more. So their ranks among the copies of a record are kept instead; see normalise(). Both are
 *    unbounded here, and yet there are finitely many states.
 *  - Heartbeat (section 5). It stands for time: a header carries the member's clock; who suspects
 *    stamps the suspicion with an estimate, which is as old as what it held, or right, or one
 *    tick ahead.
 *  - News. Whether it rides on a datagram is chosen freely, so nothing may depend on it: it may
 *    have been sent often enough long ago. What must be told (corrections, a suspect in its own
 *    PING, a refutation) is told.
 *  - Relays make a probe succeed; whether it does is free here.
 *  - Nobody crashes, leaves or moves; there is no address, no plain peer, no limit of the table and
 *    no pause: the simulator has those.
 *
 * Mutations, each of which must fail: NO_REFUTATION, DEAD_NOT_TOLD, NO_HEALING, NO_SYNC,
 * SELF_OVERRULED, FORGOTTEN_IS_DEAF. tools/check-model runs it all. By hand:
 *      spin -a -DFAILS=2 -DROUNDS=2 swim.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan
 * and after a failure `spin -t -DFAILS=2 -DROUNDS=2 swim.pml` tells the story: datagrams, and
 * the three tables after every step.
 */
#define N 3

/* In the order of severity. FORGOTTEN: a tombstone past its retention. */
#define ALIVE 0
#define SUSPECT 1
#define DEAD 2
#define FORGOTTEN 3
#define UNKNOWN 4
#define NONE 5 /* in a datagram: no entry. As a kind: no datagram */

#define PING 0
#define ACK 1
#define GOSSIP 2
#define SYNC_REQUEST 3
#define SYNC_REPLY 4
#define SYNC_RETURN 6

#ifndef LATE
#define LATE 0
#endif

/* ---- Tables ---- */

/* [observer * N + subject]. The diagonal is the member itself: its incarnation, its clock. */
byte status[N * N];
byte inc[N * N];
byte beat[N * N];
bool quiet;
byte turns; /* bit 2 i + d: in this round, i has turned to i + 1 + d */
#ifdef FAILS
byte fails;
#define MAY_FAIL (fails < FAILS)
#else
#define MAY_FAIL true
#endif
#ifdef ROUNDS
byte rounds; /* of quiet, without agreement */
#endif
byte young; /* as `turns`: in the quiet phase, i's timer about the other runs since its last turn */

#define AT(observer, subject) ((observer) * N + (subject))
#define BIT(observer, subject) (1 << (2 * (observer) + ((subject) + N - (observer) - 1) % N))
#define IS_LIVE(s) ((s) <= SUSPECT)
#define IS_TERMINAL(s) ((s) == DEAD || (s) == FORGOTTEN)
#define HOLDS(observer, subject)                                                                   \
    (status[AT(observer, subject)] == ALIVE &&                                                     \
     inc[AT(observer, subject)] == inc[AT(subject, subject)])
#define agreed                                                                                     \
    (HOLDS(0, 1) && HOLDS(0, 2) && HOLDS(1, 0) && HOLDS(1, 2) && HOLDS(2, 0) && HOLDS(2, 1))

/* Section 4, the order: (incarnation, is_terminal, heartbeat, severity). */
#define GREATER(s1, i1, b1, s2, i2, b2)                                                            \
    ((i1) > (i2) ||                                                                                \
     ((i1) == (i2) && (IS_TERMINAL(s1) > IS_TERMINAL(s2) ||                                        \
                       (IS_TERMINAL(s1) == IS_TERMINAL(s2) &&                                      \
                        ((b1) > (b2) || ((b1) == (b2) && (s1) > (s2)))))))
/* Section 7: whoever says the first of these against the second is told better. */
#define MISLEADS(s1, i1, s2, i2)                                                                   \
    ((i1) != (i2) || IS_TERMINAL(s1) != IS_TERMINAL(s2) || ((s1) == SUSPECT && (s2) == ALIVE))

/* ---- Datagrams ---- */

/* The header's incarnation and heartbeat; an entry about the receiver; one about the third. */
typedef datagram {
    byte from;
    byte to;
    byte kind;
    byte inc;
    byte beat;
    byte rs;
    byte ri;
    byte rb;
    byte ks;
    byte ki;
    byte kb;
}
chan net = [4] of { datagram };
datagram d; /* the one under way */
#if LATE
datagram late; /* the one kept back */
#endif

byte i, j;  /* who does what to whom; 0 between steps */
byte news;  /* 1: the PING has an entry about the third, 2: its ACK has */
byte asked; /* bit m: m has asked a forgotten member; once an interval, here: once a step */

/* Scratch of deterministic steps; set before use. */
hidden datagram e;
hidden byte x, y, z;
hidden byte es, ei, eb;
hidden byte fix_from, fix_third, tell_self, ask;
hidden byte ra, rb, rs, rl;
hidden byte la, li, lb;

/* ---- Ranks instead of numbers ---- */

/* Distinct numbers of three others that are below one's own; has_: the other counts. */
#define BELOW(own, has_a, a, has_b, b, has_c, c)                                                   \
    (((has_a) && (a) < (own)) + ((has_b) && (b) < (own) && !((has_a) && (a) == (b))) +             \
     ((has_c) && (c) < (own) && !((has_a) && (a) == (c)) && !((has_b) && (b) == (c))))

#define IS_KNOWN(p) (status[p] != UNKNOWN)
/* The heartbeat of a tombstone, and all numbers of the unknown, mean nothing; heartbeats compare
 * within one incarnation. */
#define HAS_BEAT(p, incarnation) (IS_LIVE(status[p]) && inc[p] == (incarnation))
#define LATE_HAS_BEAT(incarnation) (IS_LIVE(la) && li == (incarnation))

/* What the late datagram says about `subject`: status la, li, lb. NONE: nothing. */
inline look_at_late(subject)
{
    la = NONE;
    li = 0;
    lb = 0;
#if LATE
    if
    :: late.kind == NONE -> skip
    :: late.kind != NONE && late.from == subject ->
        la = ALIVE;
        li = late.inc;
        lb = late.beat
    :: late.kind != NONE && late.to == subject ->
        la = late.rs;
        li = late.ri;
        lb = late.rb
    :: else ->
        la = late.ks;
        li = late.ki;
        lb = late.kb
    fi
#endif
}

inline change_late(subject)
{
#if LATE
    if
    :: la == NONE -> skip
    :: la != NONE && late.from == subject ->
        late.inc = li;
        late.beat = lb
    :: la != NONE && late.to == subject ->
        late.ri = li;
        late.rb = lb
    :: else ->
        late.ki = li;
        late.kb = lb
    fi
#else
    skip
#endif
}

/* All that is said about one subject keeps its order and equality, and gets the smallest numbers. */
inline normalise(subject)
{
    x = AT((subject + 1) % N, subject);
    y = AT((subject + 2) % N, subject);
    z = AT(subject, subject);
    look_at_late(subject);
    ra = IS_LIVE(status[x]) * BELOW(beat[x], HAS_BEAT(y, inc[x]), beat[y], inc[z] == inc[x],
                                    beat[z], LATE_HAS_BEAT(inc[x]), lb);
    rb = IS_LIVE(status[y]) * BELOW(beat[y], HAS_BEAT(x, inc[y]), beat[x], inc[z] == inc[y],
                                    beat[z], LATE_HAS_BEAT(inc[y]), lb);
    rs = BELOW(beat[z], HAS_BEAT(x, inc[z]), beat[x], HAS_BEAT(y, inc[z]), beat[y],
               LATE_HAS_BEAT(inc[z]), lb);
    rl = IS_LIVE(la) *
         BELOW(lb, HAS_BEAT(x, li), beat[x], HAS_BEAT(y, li), beat[y], inc[z] == li, beat[z]);
    beat[x] = ra;
    beat[y] = rb;
    beat[z] = rs;
    lb = rl;
    ra = IS_KNOWN(x) *
         BELOW(inc[x], IS_KNOWN(y), inc[y], true, inc[z], la != NONE, li);
    rb = IS_KNOWN(y) *
         BELOW(inc[y], IS_KNOWN(x), inc[x], true, inc[z], la != NONE, li);
    rs = BELOW(inc[z], IS_KNOWN(x), inc[x], IS_KNOWN(y), inc[y], la != NONE, li);
    rl = (la != NONE) *
         BELOW(li, IS_KNOWN(x), inc[x], IS_KNOWN(y), inc[y], true, inc[z]);
    inc[x] = ra;
    inc[y] = rb;
    inc[z] = rs;
    li = rl;
    change_late(subject)
}

/* ---- The end of a step ---- */

/* Nobody says more of a member than the member itself did; and nobody doubts itself. */
inline audit()
{
    assert(status[AT(0, 0)] == ALIVE && status[AT(1, 1)] == ALIVE && status[AT(2, 2)] == ALIVE);
    for (x : 0 .. N * N - 1) {
        y = AT(x % N, x % N);
        assert(inc[x] <= inc[y]);
        assert(status[x] != ALIVE || inc[x] < inc[y] || beat[x] <= beat[y]);
    }
}

inline print_table(m)
{
    printf("    member %d holds: %d(%d.%d) %d(%d.%d) %d(%d.%d)\n", m, status[AT(m, 0)],
           inc[AT(m, 0)], beat[AT(m, 0)], status[AT(m, 1)], inc[AT(m, 1)], beat[AT(m, 1)],
           status[AT(m, 2)], inc[AT(m, 2)], beat[AT(m, 2)])
}

inline settle()
{
    d_step {
        print_table(0);
        print_table(1);
        print_table(2);
        audit();
        normalise(0);
        normalise(1);
        normalise(2);
        i = 0;
        j = 0;
        news = 0;
        asked = 0
    }
}

/* ---- Writing ---- */

/* Of what is forgotten, a doubt: not the death, and stamped with the present. */
inline write_entry(place, subject, is_wanted)
{
    es = NONE;
    ei = 0;
    eb = 0;
    if
    :: !(is_wanted) || status[place] == UNKNOWN -> skip
    :: (is_wanted) && status[place] == FORGOTTEN ->
        es = SUSPECT;
        ei = inc[place];
        eb = (ei == inc[AT(subject, subject)] -> beat[AT(subject, subject)] : 0)
    :: else ->
        es = status[place];
        ei = inc[place];
        eb = beat[place]
    fi
}

inline write(sender, receiver, what, about_receiver, about_third)
{
    assert(nfull(net));
    e.from = sender;
    e.to = receiver;
    e.kind = what;
    e.inc = inc[AT(sender, sender)];
    e.beat = beat[AT(sender, sender)];
    write_entry(AT(sender, receiver), receiver, about_receiver);
    e.rs = es;
    e.ri = ei;
    e.rb = eb;
    write_entry(AT(sender, N - sender - receiver), N - sender - receiver, about_third);
    e.ks = es;
    e.ki = ei;
    e.kb = eb;
    net!e
}

/* ---- Section 4: hearing ---- */

/* A new record takes the place of an old one. Only the forgotten may come back lower. */
inline apply(place, new_status, new_inc, new_beat)
{
    assert(status[place] == FORGOTTEN || status[place] == UNKNOWN || new_inc >= inc[place]);
    if
    :: quiet && new_status != ALIVE && (status[place] != new_status || inc[place] < new_inc) ->
        young = young | BIT(place / N, place % N)
    :: else -> skip
    fi;
    status[place] = new_status;
    inc[place] = new_inc;
    beat[place] = (IS_TERMINAL(new_status) -> 0 : new_beat)
}

inline hear_header()
{
    x = AT(d.to, d.from);
    if
    :: status[x] == UNKNOWN -> apply(x, ALIVE, d.inc, d.beat)
    :: status[x] == FORGOTTEN ->
        if
#ifndef FORGOTTEN_IS_DEAF
        :: d.kind == ACK || d.inc > inc[x] -> apply(x, ALIVE, d.inc, d.beat)
        :: d.kind != ACK && d.inc <= inc[x] -> ask = true
#endif
        :: else -> skip
        fi
    :: IS_LIVE(status[x]) && d.kind != ACK && d.inc == inc[x] && d.beat > beat[x] ->
        fix_from = (status[x] == SUSPECT) /* it tells the time, no more */
    :: else ->
        if
        :: GREATER(ALIVE, d.inc, d.beat, status[x], inc[x], beat[x]) &&
           (d.inc > inc[x] || d.beat > beat[x]) ->
            apply(x, ALIVE, d.inc, d.beat)
        :: else -> fix_from = MISLEADS(ALIVE, d.inc, status[x], inc[x]) || status[x] == SUSPECT
        fi
    fi
}

/* The entry about the receiver itself: nobody overrules it. */
inline hear_self()
{
    x = AT(d.to, d.to);
    if
    :: d.rs == NONE -> skip
    :: d.rs != NONE && d.ri < inc[x] -> tell_self = true
    :: d.rs == ALIVE && d.ri == inc[x] && d.rb <= beat[x] -> skip
    :: else ->
        assert(d.ri == inc[x]);
#ifdef SELF_OVERRULED
        status[x] = d.rs;
#endif
#ifndef NO_REFUTATION
        inc[x] = d.ri + 1;
        tell_self = true
#endif
    fi
}

inline hear_third()
{
    x = AT(d.to, N - d.from - d.to);
    if
    :: d.ks == NONE -> skip
    :: d.ks != NONE && status[x] == FORGOTTEN ->
        if
        :: IS_LIVE(d.ks) && d.ki > inc[x] -> apply(x, d.ks, d.ki, d.kb)
        :: IS_LIVE(d.ks) && d.ki <= inc[x] -> fix_third = true
        :: else -> skip
        fi
    :: d.ks != NONE && status[x] == UNKNOWN ->
        if
        :: IS_LIVE(d.ks) -> apply(x, d.ks, d.ki, d.kb)
        :: else -> skip
        fi
    :: else ->
        if
        :: GREATER(d.ks, d.ki, d.kb, status[x], inc[x], beat[x]) ->
            apply(x, d.ks, d.ki, d.kb)
        :: else ->
            fix_third = MISLEADS(d.ks, d.ki, status[x], inc[x]) &&
                        (d.kind != SYNC_REPLY || IS_TERMINAL(status[x]))
        fi
    fi
}

inline answer()
{
    x = AT(d.to, N - d.from - d.to);
#ifdef DEAD_NOT_TOLD
    fix_from = fix_from && !IS_TERMINAL(status[AT(d.to, d.from)]);
#endif
    if
    :: d.kind == PING ->
        write(d.to, d.from, ACK, fix_from, fix_third || ((news & 2) && status[x] <= DEAD))
    :: d.kind == SYNC_REQUEST && IS_LIVE(status[AT(d.to, d.from)]) ->
        write(d.to, d.from, SYNC_REPLY, true, IS_LIVE(status[x]) || fix_third)
    :: d.kind == SYNC_REPLY && IS_LIVE(status[x]) && !(IS_LIVE(d.ks) && d.ki == inc[x]) ->
        write(d.to, d.from, SYNC_RETURN, fix_from, true)
    :: else ->
        if
        :: fix_from || fix_third || tell_self -> write(d.to, d.from, GOSSIP, fix_from, fix_third)
        :: else -> skip
        fi
    fi;
    if
    :: ask && !(asked & (1 << d.to)) ->
        asked = asked | (1 << d.to);
        write(d.to, d.from, PING, false, false)
    :: else -> skip
    fi
}

inline receive()
{
    printf("    %d -> %d kind %d (%d.%d) receiver %d(%d.%d) third %d(%d.%d)\n", d.from, d.to, d.kind,
           d.inc, d.beat, d.rs, d.ri, d.rb, d.ks, d.ki, d.kb);
    fix_from = false;
    fix_third = false;
    tell_self = false;
    ask = false;
    hear_header();
    hear_self();
    hear_third();
    answer()
}

#define COPY(to_, from_)                                                                           \
    to_.from = from_.from;                                                                         \
    to_.to = from_.to;                                                                             \
    to_.kind = from_.kind;                                                                         \
    to_.inc = from_.inc;                                                                           \
    to_.beat = from_.beat;                                                                         \
    to_.rs = from_.rs;                                                                             \
    to_.ri = from_.ri;                                                                             \
    to_.rb = from_.rb;                                                                             \
    to_.ks = from_.ks;                                                                             \
    to_.ki = from_.ki;                                                                             \
    to_.kb = from_.kb

/* All that follows from what was written, each answer in its turn. */
inline run_network()
{
    do
    :: len(net) > 0 ->
        net?d;
#if LATE
        if
        :: true
        :: !quiet && late.kind == NONE -> d_step { COPY(late, d) }
        fi;
#endif
        if
        :: true -> d_step { receive() }
        :: !quiet -> printf("    %d -> %d kind %d lost\n", d.from, d.to, d.kind)
        fi
    :: len(net) == 0 -> break
    od;
    skip;
    d_step {
        clear(d)
    }
}

inline clear(what)
{
    what.from = 0;
    what.to = 0;
    what.kind = NONE;
    what.inc = 0;
    what.beat = 0;
    what.rs = 0;
    what.ri = 0;
    what.rb = 0;
    what.ks = 0;
    what.ki = 0;
    what.kb = 0
}

/* ---- Sections 5 and 8: what members do ---- */

#define THIRD (N - i - j)
#define IS_NEWS(m, n) (status[AT(m, n)] <= DEAD)

/* i probes j. A suspect is told so. */
inline probe()
{
    if
    :: news = 0
    :: IS_NEWS(i, THIRD) -> news = 1
    :: IS_NEWS(j, THIRD) -> news = 2
    :: IS_NEWS(i, THIRD) && IS_NEWS(j, THIRD) -> news = 3
    fi;
    d_step { write(i, j, PING, status[AT(i, j)] == SUSPECT, news & 1) };
    run_network()
}

/* i tries the address of a member that it does not hold live: a bare PING. It remembers those of
 * the dead; of members that it no longer knows at all, only the seed's. */
#ifdef NO_HEALING
#define MAY_TRY(m, n) (status[AT(m, n)] == UNKNOWN && (n) == 0)
#else
#define MAY_TRY(m, n)                                                                              \
    (IS_TERMINAL(status[AT(m, n)]) || (status[AT(m, n)] == UNKNOWN && (n) == 0))
#endif
inline try_address()
{
    d_step { write(i, j, PING, false, false) };
    run_network()
}

#define SAME_IN_VIEWS(m, n, subject)                                                               \
    ((!IS_LIVE(status[AT(m, subject)]) && !IS_LIVE(status[AT(n, subject)])) ||                     \
     (IS_LIVE(status[AT(m, subject)]) && IS_LIVE(status[AT(n, subject)]) &&                        \
      inc[AT(m, subject)] == inc[AT(n, subject)]))
#define VIEWS_DIFFER(m, n)                                                                         \
    !(SAME_IN_VIEWS(m, n, 0) && SAME_IN_VIEWS(m, n, 1) && SAME_IN_VIEWS(m, n, 2))

inline synchronise()
{
    d_step { write(i, j, SYNC_REQUEST, false, false) };
    run_network()
}

/* A probe of i's failed, direct and indirect. The stamp is an estimate of j's clock. */
#define CLOCK_SEEN (inc[AT(i, j)] == inc[AT(j, j)] -> beat[AT(j, j)] : beat[AT(i, j)])
inline suspect()
{
#ifdef FAILS
    fails++;
#endif
    status[AT(i, j)] = SUSPECT;
    if
    :: true
    :: CLOCK_SEEN > beat[AT(i, j)] -> beat[AT(i, j)] = CLOCK_SEEN
    :: CLOCK_SEEN + 1 > beat[AT(i, j)] -> beat[AT(i, j)] = CLOCK_SEEN + 1
    fi
}

/* A timer of i's about j ends. */
#define HAS_TIMER(m, n)                                                                            \
    (status[AT(m, n)] >= SUSPECT && status[AT(m, n)] <= FORGOTTEN && !(young & BIT(m, n)))
inline expire()
{
    if
    :: status[AT(i, j)] == SUSPECT -> apply(AT(i, j), DEAD, inc[AT(i, j)], 0)
    :: status[AT(i, j)] == DEAD -> apply(AT(i, j), FORGOTTEN, inc[AT(i, j)], 0)
    :: status[AT(i, j)] == FORGOTTEN -> status[AT(i, j)] = UNKNOWN
    fi
}

#define ANY_PAIR(condition)                                                                        \
    (condition(0, 1) || condition(0, 2) || condition(1, 0) || condition(1, 2) ||                   \
     condition(2, 0) || condition(2, 1))
#define CHOOSE_PAIR(condition)                                                                     \
    if                                                                                             \
    :: condition(0, 1) -> i = 0; j = 1                                                             \
    :: condition(0, 2) -> i = 0; j = 2                                                             \
    :: condition(1, 0) -> i = 1; j = 0                                                             \
    :: condition(1, 2) -> i = 1; j = 2                                                             \
    :: condition(2, 0) -> i = 2; j = 0                                                             \
    :: condition(2, 1) -> i = 2; j = 1                                                             \
    fi

#define ANY(m, n) true
#define HAS_TURN(m, n) ((turns & BIT(m, n)) == 0)

/* i turns to j in a quiet round. */
inline take_turn()
{
    d_step {
        turns = turns | BIT(i, j);
        young = young & (63 - BIT(i, j));
        beat[AT(0, 0)]++;
        beat[AT(1, 1)]++;
        beat[AT(2, 2)]++
    };
    if
    :: IS_LIVE(status[AT(i, j)]) ->
        probe();
        if
#ifndef NO_SYNC
        :: IS_LIVE(status[AT(i, j)]) && VIEWS_DIFFER(i, j) -> synchronise()
#endif
        :: else -> skip
        fi
    :: MAY_TRY(i, j) -> try_address()
    :: else -> skip
    fi;
    if
    :: turns == (1 << (N * (N - 1))) - 1 ->
        turns = 0;
#ifdef ROUNDS
        rounds = (agreed -> 0 : rounds + 1);
        assert(rounds < ROUNDS)
#endif
    :: else -> skip
    fi
}

active proctype world()
{
    d_step {
        clear(d);
#if LATE
        clear(late)
#endif
    };
    do
    :: atomic { !quiet ->
        CHOOSE_PAIR(ANY);
        if
        :: j == (i + 1) % N -> beat[AT(i, i)]++
        :: IS_LIVE(status[AT(i, j)]) -> probe()
        :: MAY_TRY(i, j) -> try_address()
        :: IS_LIVE(status[AT(i, j)]) && VIEWS_DIFFER(i, j) -> synchronise()
        :: status[AT(i, j)] == ALIVE && MAY_FAIL -> suspect()
        :: HAS_TIMER(i, j) -> expire()
        :: else -> skip
        fi;
        settle() }
    :: atomic { !quiet ->
        quiet = true;
#ifdef FAILS
        fails = 0
#endif
       }
    :: atomic { quiet && ANY_PAIR(HAS_TIMER) ->
        CHOOSE_PAIR(HAS_TIMER);
        expire();
        settle() }
    :: atomic { quiet ->
        CHOOSE_PAIR(HAS_TURN);
        take_turn();
        settle() }
#if LATE
    :: atomic { late.kind != NONE ->
        if
        :: true -> d_step { COPY(d, late); clear(late); receive() };
            run_network()
        :: !quiet -> d_step { clear(late) }
        fi;
        settle() }
#endif
    od
}

#ifndef ROUNDS
ltl heals { [] (quiet -> <> [] (agreed)) }
#endif
