-- swim.lua: shows the datagrams of SWIM membership, wire version 1, in Wireshark and tshark.
--
-- Header, payloads, extensions and both envelopes as docs/protocol.md specifies them (sections 1, 2,
-- 3, 6, 8 and 10). Sealed datagrams are opened with the cluster's keys, which are a preference.
-- Installing and using it: docs/wireshark.md.
--
-- Needs nothing but swim_seal.lua beside it, and Wireshark's own Lua (5.2 to 5.4).

local swim = Proto("swim", "SWIM cluster membership")

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or ""
package.path = here .. "?.lua;" .. package.path
local seal = require("swim_seal")

-- Lua 5.3 and on have operators for this, which older ones can't even read.
local bits = bit32 or bit or load([[return { band = function(a, b) return a & b end,
    rshift = function(a, n) return a >> n end }]])()
local band, rshift = bits.band, bits.rshift
local floor, byte, char = math.floor, string.byte, string.char

local function hex_of(s)
    return (s:gsub(".", function(c) return string.format("%02x", byte(c)) end))
end

-- ---- Keys -----------------------------------------------------------------------------------

swim.prefs.ports = Pref.range("UDP ports", "7000-7009",
    "Datagrams to or from these ports are SWIM. Plaintext ones are also recognized elsewhere, and "
    .. "\"Decode As\" takes any port", 65535)
swim.prefs.keys = Pref.string("Cluster keys", "",
    "What opens sealed datagrams: keys of 64 hex digits, separated by commas")
swim.prefs.key_file = Pref.string("Key file", "",
    "A file of such keys, one a line, like swimd's --cluster-key-file")
swim.prefs.clusters = Pref.string("Cluster names", "",
    "Names of the clusters whose datagrams are sealed in envelope 2, separated by commas; the "
    .. "cluster without a name is always tried")
swim.prefs.everywhere = Pref.bool("Look for sealed datagrams on all ports", false,
    "Tries the keys on every UDP datagram that nobody else knows: slow")

local keys, clusters, key_problem = {}, {}, nil
local subkeys, opened, requests, links, answers, metas = {}, {}, {}, {}, {}, {}

local function add_key(text, where)
    text = text:gsub("#.*", ""):gsub("%s", "")
    if text == "" then
        return
    elseif not text:match("^%x+$") or #text ~= 64 then
        key_problem = key_problem or where .. ": not a key, which has 64 hex digits"
        return
    end
    local key = { bytes = text:gsub("%x%x", function(pair) return char(tonumber(pair, 16)) end) }
    key.id = seal.blake2b(key.bytes, "swim key id"):sub(1, 4)
    keys[#keys + 1] = key
end

local function load_keys()
    keys, clusters, key_problem = {}, { "" }, nil
    for text in swim.prefs.keys:gmatch("[^,]+") do
        add_key(text, "preference swim.keys")
    end
    if swim.prefs.key_file ~= "" then
        local file, problem = io.open(swim.prefs.key_file, "r")
        if file then
            local number = 0
            for line in file:lines() do
                number = number + 1
                add_key(line, swim.prefs.key_file .. ":" .. number)
            end
            file:close()
        else
            key_problem = "preference swim.key_file: " .. problem
        end
    end
    for name in swim.prefs.clusters:gmatch("[^,]+") do
        clusters[#clusters + 1] = name:match("^%s*(.-)%s*$")
    end
end

-- ---- Fields ---------------------------------------------------------------------------------

local KINDS = { [1] = "GOSSIP", [2] = "PING", [3] = "PING_REQ", [4] = "ACK", [5] = "LEAVE",
                [6] = "ANTI_ENTROPY", [7] = "NACK", [8] = "SYNC" }
local STATUSES = { [0] = "alive", [1] = "suspect", [2] = "dead", [3] = "left",
                   [255] = "says the cluster" }
local RECORDS = { [0] = "PADDING", [1] = "PROBE", [2] = "ON_BEHALF", [3] = "SUSPICION", [4] = "VIEW",
                  [5] = "BUCKETS", [6] = "META", [7] = "TOKEN", [8] = "CLUSTER" }
local PHASES = { [1] = "request", [2] = "reply", [3] = "return", [4] = "sketch", [5] = "again",
                 [6] = "want" }
local FAMILIES = { [4] = "IPv4", [6] = "IPv6" }
local CHECKSUMS = { [0] = "bad", [1] = "good" }

local F = {
    version = ProtoField.uint8("swim.version", "Version"),
    kind = ProtoField.uint8("swim.kind", "Kind", base.HEX, KINDS),
    length = ProtoField.uint16("swim.length", "Bytes after the header"),
    sender = ProtoField.uint64("swim.sender", "Sender", base.DEC, nil, nil, "Id of the member that wrote it"),
    heartbeat = ProtoField.uint32("swim.heartbeat", "Heartbeat", base.DEC),
    incarnation = ProtoField.uint32("swim.incarnation", "Incarnation", base.DEC),
    flags = ProtoField.uint8("swim.flags", "Flags", base.HEX),
    request_ack = ProtoField.bool("swim.flags.request_ack", "Asks for an ACK", 8, nil, 0x01),
    extended = ProtoField.bool("swim.flags.extended", "Has extensions", 8, nil, 0x02),
    capabilities = ProtoField.uint8("swim.capabilities", "Capabilities", base.HEX),
    capable = ProtoField.bool("swim.capabilities.extensions", "Understands extensions", 8, nil, 0x01),
    checksum = ProtoField.uint16("swim.checksum", "Checksum", base.HEX),
    checksum_status = ProtoField.uint8("swim.checksum.status", "Checksum status", base.DEC, CHECKSUMS),

    entry = ProtoField.none("swim.entry", "Member"),
    entry_count = ProtoField.uint16("swim.entries", "Members told of", base.DEC),
    entry_id = ProtoField.uint64("swim.entry.id", "Id", base.DEC),
    entry_heartbeat = ProtoField.uint32("swim.entry.heartbeat", "Heartbeat", base.DEC),
    entry_incarnation = ProtoField.uint32("swim.entry.incarnation", "Incarnation", base.DEC),
    entry_status = ProtoField.uint8("swim.entry.status", "Status", base.DEC, STATUSES),
    entry_family = ProtoField.uint8("swim.entry.family", "Family", base.DEC, FAMILIES),
    entry_ipv4 = ProtoField.ipv4("swim.entry.ipv4", "Address"),
    entry_ipv6 = ProtoField.ipv6("swim.entry.ipv6", "Address"),
    entry_port = ProtoField.uint16("swim.entry.port", "Port", base.DEC),
    entry_addr = ProtoField.string("swim.entry.addr", "Address and port"),

    target_id = ProtoField.uint64("swim.target.id", "Target", base.DEC, nil, nil, "The member to probe"),
    target_family = ProtoField.uint8("swim.target.family", "Family", base.DEC, FAMILIES),
    target_ipv4 = ProtoField.ipv4("swim.target.ipv4", "Address"),
    target_ipv6 = ProtoField.ipv6("swim.target.ipv6", "Address"),
    target_port = ProtoField.uint16("swim.target.port", "Port", base.DEC),
    target_addr = ProtoField.string("swim.target.addr", "Address and port"),

    table_version = ProtoField.uint64("swim.table.version", "Table version", base.DEC),
    chunk_index = ProtoField.uint16("swim.chunk.index", "Chunk", base.DEC),
    chunk_count = ProtoField.uint16("swim.chunk.count", "Chunks", base.DEC),

    extensions = ProtoField.none("swim.extensions", "Extensions"),
    extensions_length = ProtoField.uint16("swim.extensions.length", "Bytes of extensions", base.DEC),
    record = ProtoField.none("swim.record", "Record"),
    record_type = ProtoField.uint8("swim.record.type", "Type", base.HEX, RECORDS),
    record_length = ProtoField.uint16("swim.record.length", "Bytes", base.DEC),
    record_value = ProtoField.bytes("swim.record.value", "Value"),
    sequence = ProtoField.uint32("swim.probe.sequence", "Sequence", base.DEC),
    on_behalf = ProtoField.uint64("swim.on_behalf", "On behalf of", base.DEC, nil, nil,
        "PING: the requester; ACK, NACK: the target"),
    suspicion_target = ProtoField.uint64("swim.suspicion.target", "Suspect", base.DEC),
    suspicion_incarnation = ProtoField.uint32("swim.suspicion.incarnation", "Incarnation", base.DEC),
    suspicion_accuser = ProtoField.uint64("swim.suspicion.accuser", "Accuser", base.DEC),
    view_digest = ProtoField.uint64("swim.view.digest", "Digest of the view", base.HEX),
    view_members = ProtoField.uint32("swim.view.members", "Live members", base.DEC),
    phase = ProtoField.uint8("swim.buckets.phase", "Phase", base.DEC, PHASES),
    bits = ProtoField.uint8("swim.buckets.bits", "Bits", base.DEC, nil, nil, "There are 2^bits buckets"),
    is_last = ProtoField.bool("swim.buckets.is_last", "Last datagram of this phase"),
    bucket_digest = ProtoField.uint32("swim.buckets.digest", "Digest of a bucket", base.HEX),
    bucket_mask = ProtoField.bytes("swim.buckets.mask", "Buckets that it is about, as bits"),
    bucket_differs = ProtoField.uint16("swim.buckets.differs", "Bucket that it is about", base.DEC),
    bucket_salt = ProtoField.uint32("swim.buckets.salt", "Salt", base.HEX, nil, nil, "Of the keys"),
    bucket_cell = ProtoField.bytes("swim.buckets.cell", "Cell", base.NONE, "XOR of keys, XOR of their checks"),
    bucket_density = ProtoField.uint16("swim.buckets.density", "Cells wanted for 16 buckets", base.DEC),
    bucket_key = ProtoField.uint32("swim.buckets.key", "Key of a member that is wanted", base.HEX),
    token_challenge = ProtoField.uint64("swim.token.challenge", "Challenge", base.HEX, nil, nil, "0: none"),
    token_echo = ProtoField.uint64("swim.token.echo", "Echo", base.HEX, nil, nil, "0: none"),
    cluster_tag = ProtoField.uint64("swim.cluster.tag", "Tag of the cluster's name", base.HEX),
    meta_part = ProtoField.none("swim.meta", "Names and tags"),
    meta_member = ProtoField.uint64("swim.meta.member", "Member", base.DEC),
    meta_incarnation = ProtoField.uint32("swim.meta.incarnation", "Incarnation", base.DEC),
    meta_version = ProtoField.uint32("swim.meta.version", "Version", base.DEC),
    meta_digest = ProtoField.uint64("swim.meta.digest", "Digest", base.HEX),
    meta_size = ProtoField.uint16("swim.meta.size", "Bytes of the whole", base.DEC),
    meta_number = ProtoField.uint8("swim.meta.number", "Part", base.DEC),
    meta_bytes = ProtoField.bytes("swim.meta.bytes", "Bytes of this part"),
    meta_name = ProtoField.string("swim.meta.name", "Name", base.UNICODE),
    meta_tag = ProtoField.string("swim.meta.tag", "Tag", base.UNICODE),
    padding = ProtoField.bytes("swim.padding", "Padding"),
    ignored = ProtoField.bytes("swim.ignored", "Ignored", base.NONE, "Bytes behind the header of a LEAVE"),

    envelope = ProtoField.uint8("swim.envelope", "Envelope", base.DEC),
    envelope_version = ProtoField.uint8("swim.envelope.version", "Version", base.DEC),
    envelope_key = ProtoField.uint8("swim.envelope.key", "Key", base.HEX, nil, nil,
        "The lowest byte of the key's id"),
    envelope_sender = ProtoField.uint64("swim.envelope.sender", "Sender, in clear", base.DEC),
    envelope_start = ProtoField.uint64("swim.envelope.start", "Start", base.DEC, nil, nil,
        "Grows with each start of the sender; mostly milliseconds since 1970"),
    envelope_counter = ProtoField.uint64("swim.envelope.counter", "Counter", base.DEC),
    envelope_salt = ProtoField.uint32("swim.envelope.salt", "Salt", base.HEX),
    envelope_nonce = ProtoField.bytes("swim.envelope.nonce", "Nonce"),
    envelope_text = ProtoField.bytes("swim.envelope.text", "Encrypted datagram"),
    envelope_tag = ProtoField.bytes("swim.envelope.tag", "Tag"),
    envelope_opened = ProtoField.bool("swim.envelope.opened", "Opened"),
    envelope_key_id = ProtoField.string("swim.envelope.key_id", "Opened with the key"),
    envelope_cluster = ProtoField.string("swim.envelope.cluster", "Cluster"),

    response_in = ProtoField.framenum("swim.response_in", "Answered in", base.NONE, frametype.RESPONSE),
    request_in = ProtoField.framenum("swim.request_in", "Answer to", base.NONE, frametype.REQUEST),
    response_time = ProtoField.relative_time("swim.time", "Time since the question"),
}
swim.fields = F

local E = {
    short = ProtoExpert.new("swim.short", "Too short for a header of 24 bytes",
        expert.group.PROTOCOL, expert.severity.ERROR),
    version = ProtoExpert.new("swim.version.unknown", "Unknown version: such a datagram is dropped",
        expert.group.PROTOCOL, expert.severity.ERROR),
    length = ProtoExpert.new("swim.length.mismatch", "Length and datagram disagree: it is dropped",
        expert.group.PROTOCOL, expert.severity.ERROR),
    checksum = ProtoExpert.new("swim.checksum.bad", "Bad checksum: it is dropped",
        expert.group.CHECKSUM, expert.severity.ERROR),
    kind = ProtoExpert.new("swim.kind.unknown", "Unknown kind: it is dropped",
        expert.group.PROTOCOL, expert.severity.ERROR),
    payload = ProtoExpert.new("swim.payload.wrong", "Wrong payload: it is dropped",
        expert.group.PROTOCOL, expert.severity.ERROR),
    sender = ProtoExpert.new("swim.sender.zero", "Sender 0: it is dropped",
        expert.group.PROTOCOL, expert.severity.ERROR),
    cut = ProtoExpert.new("swim.cut", "The capture holds only its beginning",
        expert.group.UNDECODED, expert.severity.NOTE),
    unknown = ProtoExpert.new("swim.unknown", "Nothing that this dissector knows: it is skipped",
        expert.group.UNDECODED, expert.severity.NOTE),
    sealed = ProtoExpert.new("swim.envelope.closed", "Encrypted",
        expert.group.SECURITY, expert.severity.NOTE),
    speaks_for_other = ProtoExpert.new("swim.envelope.sender.wrong",
        "The sender inside is not that in clear: it is dropped", expert.group.SECURITY, expert.severity.ERROR),
    key = ProtoExpert.new("swim.key.wrong", "A key can't be read", expert.group.SECURITY,
        expert.severity.WARN),
    suspect = ProtoExpert.new("swim.entry.suspect", "A member is suspected",
        expert.group.SEQUENCE, expert.severity.NOTE),
    dead = ProtoExpert.new("swim.entry.dead", "A member is told to be dead",
        expert.group.SEQUENCE, expert.severity.WARN),
}
swim.experts = E

-- ---- Payloads -------------------------------------------------------------------------------

-- A part of a datagram being read: where it is, and where it ends.
local Reader = {}
Reader.__index = Reader

local function reader(tvb, at, stop)
    return setmetatable({ tvb = tvb, at = at, stop = stop }, Reader)
end

function Reader:left()
    return self.stop - self.at
end

-- Shows the next `size` bytes as a field; returns their range.
function Reader:show(tree, field, size)
    local range = self.tvb(self.at, size)
    tree:add(field, range)
    self.at = self.at + size
    return range
end

-- Id, address and port of a member, as the fields prefix_*; the middle of an entry in `between`.
-- Returns the address as text, nil when the family is unknown or the bytes end too early.
local function show_address(r, tree, prefix)
    local start = r.at
    local family = r:show(tree, F[prefix .. "_family"], 1):uint()
    local size = family == 4 and 4 or family == 6 and 16
    if not size then
        tree:add_proto_expert_info(E.payload, "Family " .. family .. " is neither 4 nor 6")
        return nil
    elseif r:left() < size + 2 then
        tree:add_proto_expert_info(E.payload, "The payload ends within an address")
        return nil
    end
    local ip = r:show(tree, F[prefix .. (family == 4 and "_ipv4" or "_ipv6")], size)
    ip = family == 4 and tostring(ip:ipv4()) or "[" .. tostring(ip:ipv6()) .. "]"
    local text = ip .. ":" .. r:show(tree, F[prefix .. "_port"], 2):uint()
    tree:add(F[prefix .. "_addr"], r.tvb(start, r.at - start), text):set_generated()
    return text
end

-- One member entry. False when what follows can't be read.
local function show_entry(r, tree)
    local start = r.at
    if r:left() < 18 then
        tree:add_proto_expert_info(E.payload, "The payload ends within a member's entry")
        r:show(tree, F.ignored, r:left())
        return false
    end
    local status = r.tvb(start + 16, 1):uint()
    local size = r.tvb(start + 17, 1):uint() == 6 and 36 or 24
    local item = tree:add(F.entry, r.tvb(start, math.min(size, r:left())))
    local id = r:show(item, F.entry_id, 8):uint64()
    local heartbeat = r:show(item, F.entry_heartbeat, 4):uint()
    local incarnation = r:show(item, F.entry_incarnation, 4):uint()
    r:show(item, F.entry_status, 1)
    local addr = show_address(r, item, "entry")
    if not addr then
        return false
    end
    if status == 255 then
        item:set_text("Introduction: of the cluster with the tag 0x" .. id:tohex())
    else
        item:set_text(("Member %s %s %s, incarnation %u, heartbeat %u"):format(
            tostring(id), addr, STATUSES[status] or "of unknown status " .. status, incarnation, heartbeat))
    end
    if status == 1 then
        item:add_proto_expert_info(E.suspect)
    elseif status == 2 then
        item:add_proto_expert_info(E.dead)
    elseif status > 3 and status ~= 255 then
        item:add_proto_expert_info(E.unknown, "Unknown status: this entry is skipped")
    end
    return true
end

local function show_entries(r, tree)
    local start, count = r.at, 0
    while r:left() > 0 do
        if not show_entry(r, tree) then
            return count
        end
        count = count + 1
    end
    tree:add(F.entry_count, r.tvb(start, r.at - start), count):set_generated()
    return count
end

local function show_target(r, tree)
    if r:left() < 15 then
        tree:add_proto_expert_info(E.payload, "A PING_REQ has a target, of 15 or 27 bytes")
        return
    end
    r:show(tree, F.target_id, 8)
    if show_address(r, tree, "target") and r:left() > 0 then
        tree:add_proto_expert_info(E.payload, "Bytes behind the target")
    end
end

local function show_table(r, tree)
    if r:left() < 12 then
        tree:add_proto_expert_info(E.payload, "An ANTI_ENTROPY has a table version and a chunk, of 12 bytes")
        return 0
    end
    r:show(tree, F.table_version, 8)
    r:show(tree, F.chunk_index, 2)
    r:show(tree, F.chunk_count, 2)
    return show_entries(r, tree)
end

-- ---- Extensions -----------------------------------------------------------------------------

local function show_suspicions(r, item)
    while r:left() >= 20 do
        r:show(item, F.suspicion_target, 8)
        r:show(item, F.suspicion_incarnation, 4)
        r:show(item, F.suspicion_accuser, 8)
    end
end

-- What follows the mask of buckets: a sketch, a question for another one, or wishes.
local function show_sketch(r, item, phase)
    if phase == 5 then
        r:show(item, F.bucket_density, 2)
    elseif phase > 3 then
        r:show(item, F.bucket_salt, 4)
        while r:left() > 0 do
            r:show(item, phase == 4 and F.bucket_cell or F.bucket_key, phase == 4 and 7 or 4)
        end
    end
end

local function show_buckets(r, item)
    local phase = r:show(item, F.phase, 1):uint()
    local bits = r:show(item, F.bits, 1):uint()
    r:show(item, F.is_last, 1)
    if phase == 1 then
        while r:left() >= 4 do
            r:show(item, F.bucket_digest, 4)
        end
    elseif phase ~= 3 and r:left() > 0 then
        local start, size = r.at, math.max(1, 2 ^ bits / 8)
        r:show(item, F.bucket_mask, size)
        for i = 0, math.min(2 ^ bits, 8 * size) - 1 do
            if band(rshift(r.tvb(start + floor(i / 8), 1):uint(), i % 8), 1) == 1 then
                item:add(F.bucket_differs, r.tvb(start + floor(i / 8), 1), i):set_generated()
            end
        end
        show_sketch(r, item, phase)
    end
end

local function is_size_of_buckets(r)
    local phase, bits = r.tvb(r.at, 1):uint(), r.tvb(r.at + 1, 1):uint()
    if bits > 8 or phase < 1 or phase > 6 then
        return false
    end
    local mask = math.max(1, 2 ^ bits / 8)
    local fixed = { 3 + 4 * 2 ^ bits, 3 + mask, 3, nil, 5 + mask, nil }
    if fixed[phase] then
        return r:left() == fixed[phase]
    end
    local rest = r:left() - 7 - mask -- behind the salt
    local unit, most = phase == 4 and 28 or 4, phase == 4 and 160 * 7 or 160 * 4
    return rest > 0 and rest <= most and rest % unit == 0
end

-- Bytes of the part of a member's metadata at `at`, 0 when it is not a right one.
local function size_of_part(r, at)
    if r.stop - at < 28 then
        return 0
    end
    local rest = r.tvb(at + 24, 2):uint() - 512 * r.tvb(at + 26, 1):uint()
    local size = 27 + math.min(512, rest)
    return rest > 0 and size <= r.stop - at and r.tvb(at + 24, 2):uint() <= 4225 and size or 0
end

local function are_parts(r)
    local at = r.at
    while at < r.stop do
        local size = size_of_part(r, at)
        if size == 0 then
            return false
        end
        at = at + size
    end
    return true
end

-- Name and tags, once every part of this version was seen.
local function show_meta_content(item, range, size, parts)
    local content = ""
    for i = 0, floor((size - 1) / 512) do
        content = content .. (parts[i] or "")
    end
    if #content == size and byte(content, size) == 0 then -- else it breaks the rules of a content
        local words = {}
        for word in content:gmatch("([^\0]*)\0") do
            words[#words + 1] = word
        end
        item:add(F.meta_name, range, words[1] or ""):set_generated()
        for i = 2, #words - 1, 2 do
            item:add(F.meta_tag, range, words[i] .. "=" .. words[i + 1]):set_generated()
        end
        item:append_text((": %s, %u tags"):format(words[1] or "", floor((#words - 1) / 2)))
    end
end

local function show_parts(r, record)
    while r:left() > 0 do
        local start, total = r.at, size_of_part(r, r.at)
        local range = r.tvb(start, total)
        local item = record:add(F.meta_part, range)
        local id = r:show(item, F.meta_member, 8):uint64()
        item:set_text("Of member " .. tostring(id))
        r:show(item, F.meta_incarnation, 4)
        r:show(item, F.meta_version, 4)
        r:show(item, F.meta_digest, 8)
        local size = r:show(item, F.meta_size, 2):uint()
        local number = r:show(item, F.meta_number, 1):uint()
        local bytes = r:show(item, F.meta_bytes, total - 27):raw()
        local whole = r.tvb:raw(start, 26)
        metas[whole] = metas[whole] or {}
        metas[whole][number] = bytes
        show_meta_content(item, range, size, metas[whole])
    end
end

-- By type: which sizes are right, and how the value is shown. `about` gathers what is needed later.
local SHOW = {
    [0] = { function() return true end, function(r, item)
        if r:left() > 0 then
            r:show(item, F.padding, r:left())
        end
    end },
    [1] = { function(r) return r:left() == 4 end, function(r, item, about)
        local sequence = r:show(item, F.sequence, 4):uint()
        about.sequence = about.sequence or sequence
        item:append_text(": sequence " .. sequence)
    end },
    [2] = { function(r) return r:left() == 8 end, function(r, item)
        item:append_text(": " .. tostring(r:show(item, F.on_behalf, 8):uint64()))
    end },
    [3] = { function(r) return r:left() > 0 and r:left() % 20 == 0 end, show_suspicions },
    [4] = { function(r) return r:left() == 12 end, function(r, item)
        r:show(item, F.view_digest, 8)
        item:append_text((": %u live members"):format(r:show(item, F.view_members, 4):uint()))
    end },
    [5] = { function(r) return r:left() >= 3 and is_size_of_buckets(r) end,
        function(r, item, about)
            about.phase = PHASES[r.tvb(r.at, 1):uint()]
            show_buckets(r, item)
        end },
    [6] = { are_parts, show_parts },
    [7] = { function(r) return r:left() == 0 or r:left() == 16 end, function(r, item)
        if r:left() > 0 then
            r:show(item, F.token_challenge, 8)
            r:show(item, F.token_echo, 8)
        else
            item:append_text(": empty, asks for room")
        end
    end },
    [8] = { function(r) return r:left() == 8 end, function(r, item)
        r:show(item, F.cluster_tag, 8)
    end },
}

local function show_record(r, tree, about)
    if r:left() < 3 or r:left() < 3 + r.tvb(r.at + 1, 2):uint() then
        tree:add_proto_expert_info(E.payload, "The extensions end within a record")
        r:show(tree, F.ignored, r:left())
        return
    end
    local kind, size = r.tvb(r.at, 1):uint(), r.tvb(r.at + 1, 2):uint()
    local item = tree:add(F.record, r.tvb(r.at, 3 + size))
    item:set_text(RECORDS[kind] or ("Record of unknown type 0x%02x"):format(kind))
    r:show(item, F.record_type, 1)
    r:show(item, F.record_length, 2)
    local value, how = reader(r.tvb, r.at, r.at + size), SHOW[kind]
    r.at = r.at + size
    if how and how[1](value) then
        how[2](value, item, about)
    else
        if size > 0 then
            item:add(F.record_value, r.tvb(value.at, size))
        end
        if how then
            item:add_proto_expert_info(E.payload, "A " .. RECORDS[kind] .. " record of a wrong length")
        else
            item:add_proto_expert_info(E.unknown, "An unknown record: it is skipped")
        end
    end
end

-- Returns false when the payload behind them can't be found.
local function show_extensions(r, tree, about)
    local size = r:left() >= 2 and r.tvb(r.at, 2):uint()
    if not size or size > r:left() - 2 then
        tree:add_proto_expert_info(E.payload, "The extensions don't fit into the payload")
        return false
    end
    local item = tree:add(F.extensions, r.tvb(r.at, 2 + size))
    item:set_text(("Extensions, %u bytes"):format(size))
    r:show(item, F.extensions_length, 2)
    local records = reader(r.tvb, r.at, r.at + size)
    while records:left() > 0 do
        show_record(records, item, about)
    end
    r.at = r.at + size
    return true
end

-- ---- A datagram -----------------------------------------------------------------------------

local function checksum_of(raw) -- 0 over a correct datagram
    local sum = 0
    if #raw % 2 == 1 then
        raw = raw .. "\0"
    end
    for i = 1, #raw, 2 do
        local high, low = byte(raw, i, i + 1)
        sum = sum + high * 256 + low
    end
    while sum > 65535 do
        sum = sum % 65536 + floor(sum / 65536)
    end
    return 65535 - sum
end

local function show_header(tvb, tree)
    tree:add(F.version, tvb(0, 1))
    tree:add(F.kind, tvb(1, 1))
    tree:add(F.length, tvb(2, 2))
    tree:add(F.sender, tvb(4, 8))
    tree:add(F.heartbeat, tvb(12, 4))
    tree:add(F.incarnation, tvb(16, 4))
    local flags = tree:add(F.flags, tvb(20, 1))
    flags:add(F.request_ack, tvb(20, 1))
    flags:add(F.extended, tvb(20, 1))
    local capabilities = tree:add(F.capabilities, tvb(21, 1))
    capabilities:add(F.capable, tvb(21, 1))
    local item = tree:add(F.checksum, tvb(22, 2))
    if tvb:len() < tvb:reported_len() then
        return true -- nobody can tell
    end
    local is_good = checksum_of(tvb:raw()) == 0
    item:append_text(is_good and " (good)" or " (bad)")
    tree:add(F.checksum_status, tvb(22, 2), is_good and 1 or 0):set_generated()
    if not is_good then
        item:add_proto_expert_info(E.checksum)
    end
    return is_good
end

-- Why its receivers drop it after a look at its header, or nil.
local function header_problem(tvb)
    local kind = tvb(1, 1):uint()
    if tvb(0, 1):uint() ~= 1 then
        return E.version
    elseif tvb(2, 2):uint() ~= tvb:len() - 24 then
        return E.length
    elseif not KINDS[kind] or kind > 6 and band(tvb(21, 1):uint(), 1) == 0 then
        return E.kind
    elseif tvb(4, 8):uint64() == UInt64(0) then
        return E.sender
    end
end

-- Who asks whom: what an answer is found by.
local function road(from, from_port, to, to_port, sequence)
    return table.concat({ tostring(from), from_port, tostring(to), to_port, sequence or "-" }, " ")
end

-- Links an ACK or NACK with what it answers: by the sequence in their PROBE records, or the last
-- question without one.
local function link(tvb, pinfo, tree, kind, about)
    local number = pinfo.number
    local asks = kind == 2 or kind == 3 or band(tvb(20, 1):uint(), 1) == 1
    if not pinfo.visited then
        if asks then
            requests[road(pinfo.src, pinfo.src_port, pinfo.dst, pinfo.dst_port, about.sequence)] =
                { number = number, time = pinfo.rel_ts }
        elseif kind == 4 or kind == 7 then
            local request = requests[road(pinfo.dst, pinfo.dst_port, pinfo.src, pinfo.src_port, about.sequence)]
            if request then
                links[number] = { number = request.number, time = pinfo.rel_ts - request.time }
                answers[request.number] = answers[request.number] or number
            end
        end
    end
    if answers[number] then
        tree:add(F.response_in, answers[number]):set_generated()
    end
    if links[number] then
        local time = links[number].time
        tree:add(F.request_in, links[number].number):set_generated()
        tree:add(F.response_time, NSTime.new(floor(time), floor((time % 1) * 1e9 + 0.5))):set_generated()
    end
end

local function say(pinfo, text)
    pinfo.cols.protocol = "SWIM"
    pinfo.cols.info = text
end

-- A whole datagram, as it was sent or taken from its envelope.
local function show_datagram(tvb, pinfo, tree)
    local item = tree:add(swim, tvb())
    if tvb:len() < 24 then
        item:add_proto_expert_info(E.short)
        say(pinfo, "Too short")
        return
    end
    local is_good = show_header(tvb, item)
    local kind, problem = tvb(1, 1):uint(), header_problem(tvb)
    local name = KINDS[kind] or ("Kind 0x%02x"):format(kind)
    local text = ("%s from %s"):format(name, tostring(tvb(4, 8):uint64()))
    item:append_text(", " .. text)
    if problem or not is_good then
        if problem then
            item:add_proto_expert_info(problem)
        end
        if tvb:len() > 24 then
            item:add(F.ignored, tvb(24))
        end
        say(pinfo, text .. " [dropped]")
        return
    end
    local r, about, count = reader(tvb, 24, tvb:len()), {}, 0
    local has_extensions = band(tvb(20, 1):uint(), 2) ~= 0 and band(tvb(21, 1):uint(), 1) == 1
    if not has_extensions or show_extensions(r, item, about) then
        if kind == 3 then
            show_target(r, item)
        elseif kind == 5 then
            if r:left() > 0 then
                r:show(item, F.ignored, r:left())
            end
        else
            count = kind == 6 and show_table(r, item) or kind ~= 6 and show_entries(r, item) or 0
        end
    end
    link(tvb, pinfo, item, kind, about)
    say(pinfo, text .. (about.sequence and " seq=" .. about.sequence or "")
        .. (about.phase and " " .. about.phase or "") .. (count > 0 and (" [%u members]"):format(count) or ""))
end

local function looks_plain(tvb)
    return tvb:len() >= 24 and tvb(0, 1):uint() == 1 and tvb(2, 2):uint() == tvb:reported_len() - 24
end

-- The capture holds less of it than was sent.
local function show_cut(tvb, pinfo, tree)
    local item = tree:add(swim, tvb())
    item:add_proto_expert_info(E.cut)
    if looks_plain(tvb) then
        show_header(tvb, item)
    end
    say(pinfo, (KINDS[looks_plain(tvb) and tvb(1, 1):uint()] or "SWIM") .. " [cut off by the capture]")
end

-- ---- Envelopes ------------------------------------------------------------------------------

local function subkey_of(key, cluster, middle) -- `middle`: bytes 2 to 15 of the envelope
    local name = key.id .. #cluster .. cluster .. middle
    subkeys[name] = subkeys[name]
        or seal.blake2b(key.bytes, "swim envelope 2" .. char(#cluster) .. cluster .. middle)
    return subkeys[name]
end

-- {envelope, datagram, key, cluster}, or nil when no key opens it.
local function open_2(raw)
    if #raw < 68 or byte(raw, 1) ~= 2 then
        return nil
    end
    for _, key in ipairs(keys) do
        if byte(key.id, 4) == byte(raw, 2) then
            for _, cluster in ipairs(clusters) do
                local subkey = subkey_of(key, cluster, raw:sub(3, 16))
                local datagram = seal.open(subkey, raw:sub(17, 28), raw:sub(1, 28), raw:sub(29))
                if datagram then
                    return { envelope = 2, datagram = datagram, key = key, cluster = cluster }
                end
            end
        end
    end
end

local function open_1(raw)
    if #raw < 60 then
        return nil
    end
    for _, key in ipairs(keys) do
        local datagram = seal.open(key.bytes, raw:sub(1, 12), raw:sub(13, 20), raw:sub(21))
        if datagram then
            return { envelope = 1, datagram = datagram, key = key }
        end
    end
end

-- What is inside; false when no key opens it. Remembered, since packets are looked at often.
local function open(tvb, pinfo)
    local raw = tvb:raw()
    local name = pinfo.number .. raw:sub(1, 28) .. raw:sub(-16)
    if opened[name] == nil then
        opened[name] = #keys > 0 and #raw <= 1472 and (open_2(raw) or open_1(raw)) or false
    end
    return opened[name]
end

local function show_envelope(tvb, tree, envelope)
    local size, head = tvb:len(), envelope == 2 and 28 or 20
    local item = tree:add(swim, tvb(), "SWIM envelope " .. envelope)
    item:add(F.envelope, tvb(0, envelope == 2 and 1 or 0), envelope):set_generated()
    if envelope == 2 then
        item:add(F.envelope_version, tvb(0, 1))
        item:add(F.envelope_key, tvb(1, 1))
        item:add(F.envelope_sender, tvb(2, 8))
        item:add(F.envelope_start, tvb(10, 6))
        item:add(F.envelope_counter, tvb(16, 8))
        item:add(F.envelope_salt, tvb(24, 4))
    else
        item:add(F.envelope_nonce, tvb(0, 12))
        item:add(F.envelope_sender, tvb(12, 8))
    end
    item:add(F.envelope_text, tvb(head, size - head - 16))
    item:add(F.envelope_tag, tvb(size - 16, 16))
    return item
end

local function sender_in_clear(tvb, envelope)
    return tvb(envelope == 2 and 2 or 12, 8):uint64()
end

local function show_sealed(tvb, pinfo, tree, inside)
    local envelope = inside and inside.envelope or tvb(0, 1):uint() == 2 and tvb:len() >= 68 and 2 or 1
    local item = show_envelope(tvb, tree, envelope)
    local sender = sender_in_clear(tvb, envelope)
    item:add(F.envelope_opened, tvb(), inside and true or false):set_generated()
    if key_problem then
        item:add_proto_expert_info(E.key, key_problem)
    end
    if not inside then
        local why = #keys == 0 and "Encrypted; no key is given (preference swim.keys or swim.key_file)"
            or "Encrypted; does not open with the keys given: another key or cluster, or damaged"
        item:add_proto_expert_info(E.sealed, why)
        say(pinfo, ("Envelope %u from %s [encrypted]"):format(envelope, tostring(sender)))
        return
    end
    item:add(F.envelope_key_id, tvb(), hex_of(inside.key.id)):set_generated()
    if inside.cluster then
        item:add(F.envelope_cluster, tvb(), inside.cluster):set_generated()
    end
    local datagram = ByteArray.new(inside.datagram, true):tvb("Opened datagram")
    show_datagram(datagram, pinfo, tree)
    if datagram:len() >= 12 and datagram(4, 8):uint64() ~= sender then
        item:add_proto_expert_info(E.speaks_for_other)
    end
end

-- ---- Wireshark ------------------------------------------------------------------------------

function swim.dissector(tvb, pinfo, tree)
    local size = tvb:len()
    if size == 0 then
        return 0
    elseif size < tvb:reported_len() then
        show_cut(tvb, pinfo, tree)
        return size
    end
    if looks_plain(tvb) then
        show_datagram(tvb, pinfo, tree)
        return size
    end
    local inside = size >= 60 and open(tvb, pinfo)
    -- Random bytes begin like a datagram once in 8,000 times.
    local is_damaged = tvb(0, 1):uint() == 1 and size >= 24 and KINDS[tvb(1, 1):uint()]
    if inside or size >= 60 and not is_damaged then
        show_sealed(tvb, pinfo, tree, inside)
    else
        show_datagram(tvb, pinfo, tree)
    end
    return size
end

-- Plaintext on any port; sealed datagrams that a key opens, if asked for.
local function recognize(tvb, pinfo, tree)
    local is_plain = looks_plain(tvb) and tvb:len() == tvb:reported_len() and not header_problem(tvb)
        and checksum_of(tvb:raw()) == 0
    if not is_plain and not (swim.prefs.everywhere and tvb:len() >= 60 and open(tvb, pinfo)) then
        return false
    end
    pinfo.conversation = swim
    swim.dissector(tvb, pinfo, tree)
    return true
end

local ports = DissectorTable.get("udp.port")
local bound

local function apply_preferences()
    if bound then
        ports:remove(bound, swim)
    end
    bound = swim.prefs.ports ~= "" and swim.prefs.ports or nil
    if bound then
        ports:add(bound, swim)
    end
    load_keys()
    opened, subkeys = {}, {}
end

swim.prefs_changed = apply_preferences

function swim.init()
    opened, subkeys, requests, links, answers, metas = {}, {}, {}, {}, {}, {}
end

ports:add_for_decode_as(swim)
swim:register_heuristic("udp", recognize)
apply_preferences()
