"""The ABI of libswim and libswim-seal. Written by tools/check-bindings from the public
headers: change those, then run it with --write."""
import ctypes
import enum
from typing import Any, Dict, List, Optional, Tuple

# Macros.
SWIM_CLUSTER_MAX = 64
SWIM_CONFIRMATIONS_MAX = 8
SWIM_CONTACTS_MAX = 1024
SWIM_DATAGRAM_MAX = 1424
SWIM_DETECTION_BUCKETS = 13
SWIM_HEALTH_MAX = 8
SWIM_INDIRECT_MAX = 16
SWIM_KEYS_MAX = 8
SWIM_KEY_SIZE = 32
SWIM_MEMBERS_MAX = 1048576
SWIM_MEMBERS_MIN = 2
SWIM_MS = 1000000
SWIM_NAME_MAX = 128
SWIM_NEVER = 18446744073709551615
SWIM_PINGS_MAX = 16
SWIM_RECEIVE_MAX = 1472
SWIM_RTT_BUCKETS = 14
SWIM_SEALED_MAX = 1468
SWIM_SEAL_ERROR_COUNT = 7
SWIM_SEAL_OVERHEAD_1 = 36
SWIM_SEAL_OVERHEAD_2 = 44
SWIM_SEAL_OVERHEAD_MAX = 44
SWIM_SEAL_START_MAX = 281474976710656
SWIM_SEAL_WINDOW = 1024
SWIM_SEEDS_MAX = 64
SWIM_STATUS_COUNT = 4
SWIM_TAGS_MAX = 4096
SWIM_TAG_KEY_MAX = 255
SWIM_VERSION_MAJOR = 0
SWIM_VERSION_MINOR = 1
SWIM_VERSION_PATCH = 0


class Drop(enum.IntEnum):
    """enum swim_error"""
    OK = 0
    SHORT = 1
    VERSION = 2
    LENGTH = 3
    CHECKSUM = 4
    KIND = 5
    PAYLOAD = 6
    SELF = 7
    LEFT = 8
    CLUSTER = 9
    UNPROVED = 10


class Order(enum.IntEnum):
    """enum swim_order"""
    DONE = 0
    SELF = 1
    UNKNOWN = 2
    BUSY = 3
    LEAVING = 4


class Status(enum.IntEnum):
    """enum swim_status"""
    ALIVE = 0
    SUSPECT = 1
    DEAD = 2
    LEFT = 3


class MetaProblem(enum.IntEnum):
    """enum swim_meta_error"""
    OK = 0
    NAME_LONG = 1
    NAME_TEXT = 2
    KEY_EMPTY = 3
    KEY_LONG = 4
    KEY_TEXT = 5
    VALUE_TEXT = 6
    TAGS_FULL = 7


class EventKind(enum.IntEnum):
    """enum swim_event_kind"""
    JOINED = 1
    SUSPECTED = 2
    RECOVERED = 3
    FAILED = 4
    LEFT = 5
    UPDATED = 6
    FORGOTTEN = 7
    REFUTED = 8
    ID_CHANGED = 9
    TABLE_FULL = 10
    PAUSED = 11
    LEAVE_DONE = 12
    RESTARTED = 13
    PONG = 14
    RETAGGED = 15
    NAME_CONFLICT = 16


class Envelope(enum.IntEnum):
    """enum swim_envelope"""
    ENVELOPE_1 = 1
    ENVELOPE_2 = 2


class SealDrop(enum.IntEnum):
    """enum swim_seal_error"""
    OK = 0
    SIZE = 1
    VERSION = 2
    KEY = 3
    FORGED = 4
    SENDER = 5
    REPLAY = 6


class KeyProblem(enum.IntEnum):
    """enum swim_key_error"""
    OK = 0
    FULL = 1
    UNKNOWN = 2
    PRIMARY = 3
    WEAK = 4


class swim_addr(ctypes.Structure):
    """struct swim_addr"""
    ip: "ctypes.Array[ctypes.c_uint8]"
    port: int
    family: int
    _fields_ = [
        ("ip", ctypes.c_uint8 * 16),
        ("port", ctypes.c_uint16),
        ("family", ctypes.c_uint8),
    ]


class swim_config(ctypes.Structure):
    """struct swim_config"""
    id: int
    seed: int
    secret: "ctypes.Array[ctypes.c_uint8]"
    cluster: bytes
    datagram_max: int
    addr: swim_addr
    addr_in_probes: bool
    incarnation: int
    members_max: int
    meta_memory: int
    fanout: int
    adaptive_fanout: bool
    max_sends: int
    adaptive_targets: bool
    gossip_interval_ms: int
    heartbeat_interval_ms: int
    piggyback_max: int
    retransmit_multiplier: int
    anti_entropy_interval_ms: int
    reliable_ack_timeout_ms: int
    reliable_max_retries: int
    probe_interval_ms: int
    probe_timeout_ms: int
    indirect_k: int
    suspect_timeout_ms: int
    suspect_multiplier_milli: int
    suspect_jitter_ms: int
    suspect_timeout_min_ms: int
    dead_retention_ms: int
    local_health: bool
    nack: bool
    buddy: bool
    confirmations: int
    _fields_ = [
        ("id", ctypes.c_uint64),
        ("seed", ctypes.c_uint64),
        ("secret", ctypes.c_uint8 * 16),
        ("cluster", ctypes.c_char * 65),
        ("datagram_max", ctypes.c_uint32),
        ("addr", swim_addr),
        ("addr_in_probes", ctypes.c_bool),
        ("incarnation", ctypes.c_uint32),
        ("members_max", ctypes.c_uint32),
        ("meta_memory", ctypes.c_uint32),
        ("fanout", ctypes.c_uint32),
        ("adaptive_fanout", ctypes.c_bool),
        ("max_sends", ctypes.c_uint32),
        ("adaptive_targets", ctypes.c_bool),
        ("gossip_interval_ms", ctypes.c_uint32),
        ("heartbeat_interval_ms", ctypes.c_uint32),
        ("piggyback_max", ctypes.c_uint32),
        ("retransmit_multiplier", ctypes.c_uint32),
        ("anti_entropy_interval_ms", ctypes.c_uint32),
        ("reliable_ack_timeout_ms", ctypes.c_uint32),
        ("reliable_max_retries", ctypes.c_uint32),
        ("probe_interval_ms", ctypes.c_uint32),
        ("probe_timeout_ms", ctypes.c_uint32),
        ("indirect_k", ctypes.c_uint32),
        ("suspect_timeout_ms", ctypes.c_uint32),
        ("suspect_multiplier_milli", ctypes.c_uint32),
        ("suspect_jitter_ms", ctypes.c_uint32),
        ("suspect_timeout_min_ms", ctypes.c_uint32),
        ("dead_retention_ms", ctypes.c_uint32),
        ("local_health", ctypes.c_bool),
        ("nack", ctypes.c_bool),
        ("buddy", ctypes.c_bool),
        ("confirmations", ctypes.c_uint32),
    ]


class swim_member(ctypes.Structure):
    """struct swim_member"""
    id: int
    addr: swim_addr
    status: int
    incarnation: int
    heartbeat: int
    is_self: bool
    is_capable: bool
    is_proved: bool
    learnt: int
    changed: int
    rtt_ns: int
    _fields_ = [
        ("id", ctypes.c_uint64),
        ("addr", swim_addr),
        ("status", ctypes.c_uint),
        ("incarnation", ctypes.c_uint32),
        ("heartbeat", ctypes.c_uint32),
        ("is_self", ctypes.c_bool),
        ("is_capable", ctypes.c_bool),
        ("is_proved", ctypes.c_bool),
        ("learnt", ctypes.c_uint64),
        ("changed", ctypes.c_uint64),
        ("rtt_ns", ctypes.c_uint64),
    ]


class swim_meta(ctypes.Structure):
    """struct swim_meta"""
    incarnation: int
    version: int
    tags_size: int
    name: bytes
    tags: bytes
    _fields_ = [
        ("incarnation", ctypes.c_uint32),
        ("version", ctypes.c_uint32),
        ("tags_size", ctypes.c_uint16),
        ("name", ctypes.c_char * 129),
        ("tags", ctypes.c_char * 4096),
    ]


class swim_tag(ctypes.Structure):
    """struct swim_tag"""
    key: Optional[bytes]
    value: Optional[bytes]
    _fields_ = [
        ("key", ctypes.c_char_p),
        ("value", ctypes.c_char_p),
    ]


class swim_event(ctypes.Structure):
    """struct swim_event"""
    kind: int
    before: int
    member: swim_member
    at: int
    paused_for: int
    rtt_ns: int
    other: int
    _fields_ = [
        ("kind", ctypes.c_uint),
        ("before", ctypes.c_uint),
        ("member", swim_member),
        ("at", ctypes.c_uint64),
        ("paused_for", ctypes.c_uint64),
        ("rtt_ns", ctypes.c_uint64),
        ("other", ctypes.c_uint64),
    ]


class swim_stats(ctypes.Structure):
    """struct swim_stats"""
    gossip_rounds: int
    gossip_sent: int
    gossip_recv: int
    pings_sent: int
    pings_recv: int
    acks_sent: int
    acks_recv: int
    ping_reqs_sent: int
    ping_reqs_recv: int
    probe_direct_timeouts: int
    probe_failures: int
    merges_new: int
    merges_updated: int
    merges_stale: int
    anti_entropy_sent: int
    reliable_retries: int
    reliable_exhausted: int
    datagrams_sent: int
    datagrams_recv: int
    bytes_sent: int
    bytes_recv: int
    drop_short: int
    drop_version: int
    drop_length: int
    drop_checksum: int
    drop_kind: int
    drop_payload: int
    drop_self: int
    drop_left: int
    drop_cluster: int
    drop_unproved: int
    challenges_sent: int
    addresses_proved: int
    entries_skipped: int
    newcomers_refused: int
    zombies_refused: int
    outbox_full: int
    suspicions_raised: int
    suspicions_refuted: int
    suspicions_false: int
    suspicions_confirmed: int
    failures: int
    refutations: int
    superseded: int
    corrections_sent: int
    indirect_relayed: int
    nacks_sent: int
    nacks_recv: int
    nacks_missed: int
    contacts_tried: int
    syncs_started: int
    syncs_refused: int
    sync_chunks_recv: int
    sync_bytes_sent: int
    sync_bytes_recv: int
    digests_equal: int
    digests_different: int
    pauses: int
    meta_sent: int
    meta_recv: int
    meta_updated: int
    meta_stale: int
    meta_refused: int
    meta_given_up: int
    meta_no_room: int
    meta_overruled: int
    name_conflicts: int
    rtt_count: int
    rtt_sum_ns: int
    rtt_bucket: "ctypes.Array[ctypes.c_uint64]"
    detection_count: int
    detection_sum_ns: int
    detection_bucket: "ctypes.Array[ctypes.c_uint64]"
    members: "ctypes.Array[ctypes.c_uint32]"
    news_queued: int
    accusations_queued: int
    local_health: int
    tombstones: int
    view_differs_ns: int
    slots_used: int
    meta_queued: int
    meta_blocks_used: int
    meta_blocks_max: int
    slots_max: int
    outbox_queued: int
    _fields_ = [
        ("gossip_rounds", ctypes.c_uint64),
        ("gossip_sent", ctypes.c_uint64),
        ("gossip_recv", ctypes.c_uint64),
        ("pings_sent", ctypes.c_uint64),
        ("pings_recv", ctypes.c_uint64),
        ("acks_sent", ctypes.c_uint64),
        ("acks_recv", ctypes.c_uint64),
        ("ping_reqs_sent", ctypes.c_uint64),
        ("ping_reqs_recv", ctypes.c_uint64),
        ("probe_direct_timeouts", ctypes.c_uint64),
        ("probe_failures", ctypes.c_uint64),
        ("merges_new", ctypes.c_uint64),
        ("merges_updated", ctypes.c_uint64),
        ("merges_stale", ctypes.c_uint64),
        ("anti_entropy_sent", ctypes.c_uint64),
        ("reliable_retries", ctypes.c_uint64),
        ("reliable_exhausted", ctypes.c_uint64),
        ("datagrams_sent", ctypes.c_uint64),
        ("datagrams_recv", ctypes.c_uint64),
        ("bytes_sent", ctypes.c_uint64),
        ("bytes_recv", ctypes.c_uint64),
        ("drop_short", ctypes.c_uint64),
        ("drop_version", ctypes.c_uint64),
        ("drop_length", ctypes.c_uint64),
        ("drop_checksum", ctypes.c_uint64),
        ("drop_kind", ctypes.c_uint64),
        ("drop_payload", ctypes.c_uint64),
        ("drop_self", ctypes.c_uint64),
        ("drop_left", ctypes.c_uint64),
        ("drop_cluster", ctypes.c_uint64),
        ("drop_unproved", ctypes.c_uint64),
        ("challenges_sent", ctypes.c_uint64),
        ("addresses_proved", ctypes.c_uint64),
        ("entries_skipped", ctypes.c_uint64),
        ("newcomers_refused", ctypes.c_uint64),
        ("zombies_refused", ctypes.c_uint64),
        ("outbox_full", ctypes.c_uint64),
        ("suspicions_raised", ctypes.c_uint64),
        ("suspicions_refuted", ctypes.c_uint64),
        ("suspicions_false", ctypes.c_uint64),
        ("suspicions_confirmed", ctypes.c_uint64),
        ("failures", ctypes.c_uint64),
        ("refutations", ctypes.c_uint64),
        ("superseded", ctypes.c_uint64),
        ("corrections_sent", ctypes.c_uint64),
        ("indirect_relayed", ctypes.c_uint64),
        ("nacks_sent", ctypes.c_uint64),
        ("nacks_recv", ctypes.c_uint64),
        ("nacks_missed", ctypes.c_uint64),
        ("contacts_tried", ctypes.c_uint64),
        ("syncs_started", ctypes.c_uint64),
        ("syncs_refused", ctypes.c_uint64),
        ("sync_chunks_recv", ctypes.c_uint64),
        ("sync_bytes_sent", ctypes.c_uint64),
        ("sync_bytes_recv", ctypes.c_uint64),
        ("digests_equal", ctypes.c_uint64),
        ("digests_different", ctypes.c_uint64),
        ("pauses", ctypes.c_uint64),
        ("meta_sent", ctypes.c_uint64),
        ("meta_recv", ctypes.c_uint64),
        ("meta_updated", ctypes.c_uint64),
        ("meta_stale", ctypes.c_uint64),
        ("meta_refused", ctypes.c_uint64),
        ("meta_given_up", ctypes.c_uint64),
        ("meta_no_room", ctypes.c_uint64),
        ("meta_overruled", ctypes.c_uint64),
        ("name_conflicts", ctypes.c_uint64),
        ("rtt_count", ctypes.c_uint64),
        ("rtt_sum_ns", ctypes.c_uint64),
        ("rtt_bucket", ctypes.c_uint64 * 14),
        ("detection_count", ctypes.c_uint64),
        ("detection_sum_ns", ctypes.c_uint64),
        ("detection_bucket", ctypes.c_uint64 * 13),
        ("members", ctypes.c_uint32 * 4),
        ("news_queued", ctypes.c_uint32),
        ("accusations_queued", ctypes.c_uint32),
        ("local_health", ctypes.c_uint32),
        ("tombstones", ctypes.c_uint32),
        ("view_differs_ns", ctypes.c_uint64),
        ("slots_used", ctypes.c_uint32),
        ("meta_queued", ctypes.c_uint32),
        ("meta_blocks_used", ctypes.c_uint32),
        ("meta_blocks_max", ctypes.c_uint32),
        ("slots_max", ctypes.c_uint32),
        ("outbox_queued", ctypes.c_uint32),
    ]


class swim_seal_config(ctypes.Structure):
    """struct swim_seal_config"""
    envelope: int
    cluster: Optional[bytes]
    start: int
    members_max: int
    entropy: "ctypes.Array[ctypes.c_uint8]"
    _fields_ = [
        ("envelope", ctypes.c_uint),
        ("cluster", ctypes.c_char_p),
        ("start", ctypes.c_uint64),
        ("members_max", ctypes.c_uint32),
        ("entropy", ctypes.c_uint8 * 32),
    ]


class swim_seal_opened(ctypes.Structure):
    """struct swim_seal_opened"""
    size: int
    sender: int
    start: int
    counter: int
    key_id: int
    is_fresh: bool
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("sender", ctypes.c_uint64),
        ("start", ctypes.c_uint64),
        ("counter", ctypes.c_uint64),
        ("key_id", ctypes.c_uint32),
        ("is_fresh", ctypes.c_bool),
    ]


class swim_seal_stats(ctypes.Structure):
    """struct swim_seal_stats"""
    wrapped: int
    opened: int
    unproved: int
    admitted: int
    evicted: int
    dropped: "ctypes.Array[ctypes.c_uint64]"
    windows: int
    _fields_ = [
        ("wrapped", ctypes.c_uint64),
        ("opened", ctypes.c_uint64),
        ("unproved", ctypes.c_uint64),
        ("admitted", ctypes.c_uint64),
        ("evicted", ctypes.c_uint64),
        ("dropped", ctypes.c_uint64 * 7),
        ("windows", ctypes.c_uint32),
    ]


# Name: what it returns, what it takes.
FUNCTIONS: Dict[str, Tuple[Any, List[Any]]] = {
    "swim_version": (ctypes.c_char_p, []),
    "swim_config_default": (None, [ctypes.POINTER(swim_config)]),
    "swim_config_check": (ctypes.c_char_p, [ctypes.POINTER(swim_config)]),
    "swim_footprint": (ctypes.c_size_t, [ctypes.POINTER(swim_config)]),
    "swim_init": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t, ctypes.POINTER(swim_config), ctypes.c_uint64]),
    "swim_init_acquainted": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t, ctypes.POINTER(swim_config), ctypes.c_void_p, ctypes.c_uint64]),
    "swim_error_name": (ctypes.c_char_p, [ctypes.c_uint]),
    "swim_receive": (ctypes.c_uint, [ctypes.c_void_p, ctypes.c_uint64, ctypes.POINTER(swim_addr), ctypes.c_void_p, ctypes.c_size_t]),
    "swim_receive_unproved": (ctypes.c_uint, [ctypes.c_void_p, ctypes.c_uint64, ctypes.POINTER(swim_addr), ctypes.c_void_p, ctypes.c_size_t]),
    "swim_advance": (None, [ctypes.c_void_p, ctypes.c_uint64]),
    "swim_join": (ctypes.c_bool, [ctypes.c_void_p, ctypes.c_uint64, ctypes.POINTER(swim_addr)]),
    "swim_unjoin": (None, [ctypes.c_void_p, ctypes.POINTER(swim_addr)]),
    "swim_leave": (None, [ctypes.c_void_p, ctypes.c_uint64]),
    "swim_has_left": (ctypes.c_bool, [ctypes.c_void_p]),
    "swim_order_name": (ctypes.c_char_p, [ctypes.c_uint]),
    "swim_force_leave": (ctypes.c_uint, [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_bool]),
    "swim_ping": (ctypes.c_uint, [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64]),
    "swim_transmit": (ctypes.c_size_t, [ctypes.c_void_p, ctypes.c_uint64, ctypes.POINTER(swim_addr), ctypes.c_void_p, ctypes.c_size_t]),
    "swim_deadline": (ctypes.c_uint64, [ctypes.c_void_p]),
    "swim_status_name": (ctypes.c_char_p, [ctypes.c_uint]),
    "swim_member_slots": (ctypes.c_uint32, [ctypes.c_void_p]),
    "swim_member_at": (ctypes.c_bool, [ctypes.c_void_p, ctypes.c_uint32, ctypes.POINTER(swim_member)]),
    "swim_member_find": (ctypes.c_bool, [ctypes.c_void_p, ctypes.c_uint64, ctypes.POINTER(swim_member)]),
    "swim_member_find_addr": (ctypes.c_bool, [ctypes.c_void_p, ctypes.POINTER(swim_addr), ctypes.POINTER(swim_member)]),
    "swim_member_count": (ctypes.c_uint32, [ctypes.c_void_p, ctypes.c_uint]),
    "swim_view_digest": (ctypes.c_uint64, [ctypes.c_void_p]),
    "swim_meta_error_name": (ctypes.c_char_p, [ctypes.c_uint]),
    "swim_meta_init": (ctypes.c_uint, [ctypes.POINTER(swim_meta), ctypes.c_char_p]),
    "swim_meta_set_name": (ctypes.c_uint, [ctypes.POINTER(swim_meta), ctypes.c_char_p]),
    "swim_meta_set": (ctypes.c_uint, [ctypes.POINTER(swim_meta), ctypes.c_char_p, ctypes.c_char_p]),
    "swim_meta_delete": (ctypes.c_bool, [ctypes.POINTER(swim_meta), ctypes.c_char_p]),
    "swim_meta_get": (ctypes.c_char_p, [ctypes.POINTER(swim_meta), ctypes.c_char_p]),
    "swim_meta_tag": (ctypes.c_bool, [ctypes.POINTER(swim_meta), ctypes.c_uint32, ctypes.POINTER(swim_tag)]),
    "swim_meta_count": (ctypes.c_uint32, [ctypes.POINTER(swim_meta)]),
    "swim_meta_equal": (ctypes.c_bool, [ctypes.POINTER(swim_meta), ctypes.POINTER(swim_meta)]),
    "swim_set_meta": (None, [ctypes.c_void_p, ctypes.c_uint64, ctypes.POINTER(swim_meta)]),
    "swim_member_meta": (ctypes.c_bool, [ctypes.c_void_p, ctypes.c_uint64, ctypes.POINTER(swim_meta)]),
    "swim_member_find_name": (ctypes.c_bool, [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(swim_member)]),
    "swim_event_name": (ctypes.c_char_p, [ctypes.c_uint]),
    "swim_next_event": (ctypes.c_bool, [ctypes.c_void_p, ctypes.POINTER(swim_event)]),
    "swim_stats": (None, [ctypes.c_void_p, ctypes.POINTER(swim_stats)]),
    "swim_check": (ctypes.c_char_p, [ctypes.c_void_p]),
    "swim_seal_new": (ctypes.c_void_p, [ctypes.POINTER(swim_seal_config)]),
    "swim_seal_free": (None, [ctypes.c_void_p]),
    "swim_seal_wrap": (ctypes.c_size_t, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t]),
    "swim_seal_error_name": (ctypes.c_char_p, [ctypes.c_uint]),
    "swim_seal_open": (ctypes.c_uint, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.POINTER(swim_seal_opened)]),
    "swim_seal_admit": (None, [ctypes.c_void_p, ctypes.POINTER(swim_seal_opened)]),
    "swim_key_id": (ctypes.c_uint32, [ctypes.c_void_p]),
    "swim_key_error_name": (ctypes.c_char_p, [ctypes.c_uint]),
    "swim_seal_key_install": (ctypes.c_uint, [ctypes.c_void_p, ctypes.c_void_p]),
    "swim_seal_key_use": (ctypes.c_uint, [ctypes.c_void_p, ctypes.c_uint32]),
    "swim_seal_key_remove": (ctypes.c_uint, [ctypes.c_void_p, ctypes.c_uint32]),
    "swim_seal_keys": (ctypes.c_uint32, [ctypes.c_void_p, ctypes.c_void_p]),
    "swim_seal_stats": (None, [ctypes.c_void_p, ctypes.POINTER(swim_seal_stats)]),
}

# Every structure, for the test that compares their layout with the compiler's.
STRUCTURES: List[Any] = [
    swim_addr,
    swim_config,
    swim_member,
    swim_meta,
    swim_tag,
    swim_event,
    swim_stats,
    swim_seal_config,
    swim_seal_opened,
    swim_seal_stats,
]
