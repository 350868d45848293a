-- swim_seal.lua: what opens sealed datagrams: keyed BLAKE2b and ChaCha20-Poly1305, for swim.lua.
--
-- Written out here, since Wireshark brings no ciphers to Lua before version 4.2, and BLAKE2b with a
-- key not at all. Runs on Lua 5.2 to 5.4 and LuaJIT, with nothing else. It only ever opens: there is
-- no secret here but the user's own keys, so it is written to be fast, not to take constant time.

-- ---- Words of 32 bits ----------------------------------------------------------------------

local WORD = 4294967296
local native = bit32 or bit
if not native then -- Lua 5.3 and on have operators, which older ones can't even read
    native = load([[return {
        band = function(a, b) return a & b end, bxor = function(a, b) return a ~ b end,
        rshift = function(a, n) return (a & 0xffffffff) >> n end,
        lrotate = function(a, n) a = a & 0xffffffff
            return ((a << n) | (a >> (32 - n))) & 0xffffffff end }]])()
end
local band, bxor, rshift = native.band, native.bxor, native.rshift
local rotate = native.lrotate or native.rol
local floor, byte, char, unpack = math.floor, string.byte, string.char, table.unpack or unpack

local function word_at(s, i) -- little-endian, i from 1
    local a, b, c, d = byte(s, i, i + 3)
    return a + b * 256 + c * 65536 + d * 16777216
end

local function bytes_of(word) -- little-endian
    return char(band(word, 255), band(rshift(word, 8), 255), band(rshift(word, 16), 255),
                band(rshift(word, 24), 255))
end

-- ---- BLAKE2b, keyed, 32 bytes of output, one block of message (RFC 7693) ----------------------

-- 64-bit words as two halves: high in [2i - 1], low in [2i].
local BLAKE_IV = {
    0x6a09e667, 0xf3bcc908, 0xbb67ae85, 0x84caa73b, 0x3c6ef372, 0xfe94f82b, 0xa54ff53a, 0x5f1d36f1,
    0x510e527f, 0xade682d1, 0x9b05688c, 0x2b3e6c1f, 0x1f83d9ab, 0xfb41bd6b, 0x5be0cd19, 0x137e2179,
}
local BLAKE_SIGMA = {
    { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
    { 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
    { 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
    { 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
    { 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
    { 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
    { 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
    { 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
    { 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
    { 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
}
local BLAKE_LANES = {
    { 1, 5, 9, 13 }, { 2, 6, 10, 14 }, { 3, 7, 11, 15 }, { 4, 8, 12, 16 },
    { 1, 6, 11, 16 }, { 2, 7, 12, 13 }, { 3, 8, 9, 14 }, { 4, 5, 10, 15 },
}

-- v[a] = v[a] + v[b] + (high, low)
local function blake_add(v, a, b, high, low)
    local sum = v[2 * a] + v[2 * b] + low
    v[2 * a] = sum % WORD
    v[2 * a - 1] = (v[2 * a - 1] + v[2 * b - 1] + high + floor(sum / WORD)) % WORD
end

-- v[a] = v[a] xor v[b], rotated to the right by n
local function blake_mix(v, a, b, n)
    local high, low = bxor(v[2 * a - 1], v[2 * b - 1]) % WORD, bxor(v[2 * a], v[2 * b]) % WORD
    if n == 63 then -- one to the left
        v[2 * a - 1] = (high * 2) % WORD + floor(low / 2147483648)
        v[2 * a] = (low * 2) % WORD + floor(high / 2147483648)
    elseif n == 32 then
        v[2 * a - 1], v[2 * a] = low, high
    else
        local p, q = 2 ^ n, 2 ^ (32 - n)
        v[2 * a - 1] = floor(high / p) + (low % p) * q
        v[2 * a] = floor(low / p) + (high % p) * q
    end
end

local function blake_compress(h, block, count, is_last)
    local v, m = {}, {}
    for i = 1, 16 do
        v[i], v[i + 16] = h[i], BLAKE_IV[i]
        m[2 * i], m[2 * i - 1] = word_at(block, 8 * i - 7), word_at(block, 8 * i - 3)
    end
    v[26] = bxor(v[26], count) % WORD
    if is_last then
        v[29], v[30] = WORD - 1 - v[29], WORD - 1 - v[30]
    end
    for round = 0, 11 do
        local sigma = BLAKE_SIGMA[round % 10 + 1]
        for lane = 1, 8 do
            local a, b, c, d = unpack(BLAKE_LANES[lane])
            local x, y = 2 * sigma[2 * lane - 1] + 1, 2 * sigma[2 * lane] + 1
            blake_add(v, a, b, m[x], m[x + 1])
            blake_mix(v, d, a, 32)
            blake_add(v, c, d, 0, 0)
            blake_mix(v, b, c, 24)
            blake_add(v, a, b, m[y], m[y + 1])
            blake_mix(v, d, a, 16)
            blake_add(v, c, d, 0, 0)
            blake_mix(v, b, c, 63)
        end
    end
    for i = 1, 16 do
        h[i] = bxor(bxor(h[i], v[i]), v[i + 16]) % WORD
    end
end

local function blake2b(key, text)
    local h = {}
    for i = 1, 16 do
        h[i] = BLAKE_IV[i]
    end
    h[2] = bxor(h[2], 0x01012020) % WORD -- fan-out and depth 1, key and output of 32 bytes
    blake_compress(h, key .. ("\0"):rep(96), 128, false)
    blake_compress(h, text .. ("\0"):rep(128 - #text), 128 + #text, true)
    local parts = {}
    for i = 1, 4 do
        parts[#parts + 1] = bytes_of(h[2 * i]) .. bytes_of(h[2 * i - 1])
    end
    return table.concat(parts)
end

-- ---- ChaCha20 (RFC 8439 section 2.3) ----------------------------------------------------------

-- The twenty rounds over sixteen locals, as text: in a table they would be several times slower.
local chacha_rounds
do
    local quarter = "A = (A + B) % W; D = rotate(bxor(D, A), 16); C = (C + D) % W; "
        .. "B = rotate(bxor(B, C), 12); A = (A + B) % W; D = rotate(bxor(D, A), 8); "
        .. "C = (C + D) % W; B = rotate(bxor(B, C), 7)\n"
    local lanes = { { 0, 4, 8, 12 }, { 1, 5, 9, 13 }, { 2, 6, 10, 14 }, { 3, 7, 11, 15 },
                    { 0, 5, 10, 15 }, { 1, 6, 11, 12 }, { 2, 7, 8, 13 }, { 3, 4, 9, 14 } }
    local names, sums, body = {}, {}, {}
    for i = 0, 15 do
        names[#names + 1] = "x" .. i
        sums[#sums + 1] = "(x" .. i .. " + s[" .. i + 1 .. "]) % W"
    end
    for _, lane in ipairs(lanes) do
        local map = { A = "x" .. lane[1], B = "x" .. lane[2], C = "x" .. lane[3], D = "x" .. lane[4] }
        body[#body + 1] = quarter:gsub("%f[%w][ABCD]%f[%W]", map)
    end
    local text = "local rotate, bxor, W, unpack = ...\nreturn function(s)\nlocal "
        .. table.concat(names, ", ") .. " = unpack(s)\nfor _ = 1, 10 do\n" .. table.concat(body)
        .. "end\nreturn { " .. table.concat(sums, ", ") .. " }\nend"
    chacha_rounds = (loadstring or load)(text)(rotate, bxor, WORD, unpack)
end

local function chacha_state(key, nonce)
    local s = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }
    for i = 0, 7 do
        s[5 + i] = word_at(key, 4 * i + 1)
    end
    for i = 0, 2 do
        s[14 + i] = word_at(nonce, 4 * i + 1)
    end
    return s
end

local function chacha_block(state, counter)
    state[13] = counter
    return chacha_rounds(state)
end

local function chacha_decrypt(state, text)
    local size, parts = #text, {}
    text = text .. ("\0"):rep(-size % 64)
    for block = 0, #text / 64 - 1 do
        local stream = chacha_block(state, block + 1)
        for i = 1, 16 do
            parts[#parts + 1] = bytes_of(bxor(stream[i], word_at(text, 64 * block + 4 * i - 3)))
        end
    end
    return table.concat(parts):sub(1, size)
end

-- ---- Poly1305 (RFC 8439 section 2.5) ----------------------------------------------------------

-- Numbers below 2^132 as six limbs of 22 bits: sums of their products stay exact in a double.
local L10, L12, L14, L18, L20, L22 = 2 ^ 10, 2 ^ 12, 2 ^ 14, 2 ^ 18, 2 ^ 20, 2 ^ 22

local function poly_limbs(w0, w1, w2, w3)
    return w0 % L22, floor(w0 / L22) + (w1 % L12) * L10, floor(w1 / L12) + (w2 % 4) * L20,
        floor(w2 / 4) % L22, floor(w2 / 16777216) + (w3 % L14) * 256, floor(w3 / L14)
end

-- h mod 2^130 - 5, plus s mod 2^128, as 16 bytes.
local function poly_finish(h0, h1, h2, h3, h4, h5, s)
    local g = { h0, h1, h2, h3, h4, h5 }
    local function carry(extra)
        g[1] = g[1] + extra
        for i = 1, 5 do
            g[i + 1], g[i] = g[i + 1] + floor(g[i] / L22), g[i] % L22
        end
        local over = floor(g[6] / L20) -- from bit 130 on
        g[6] = g[6] % L20
        return over
    end
    local over = carry(0)
    over = carry(5 * over)
    carry(5 * over)
    if carry(5) == 0 then -- was below 2^130 - 5: take the 5 away again
        g[1] = g[1] - 5
        for i = 1, 5 do
            if g[i] < 0 then
                g[i], g[i + 1] = g[i] + L22, g[i + 1] - 1
            end
        end
    end
    local words = {
        g[1] + (g[2] % L10) * L22, floor(g[2] / L10) + (g[3] % L20) * L12,
        floor(g[3] / L20) + g[4] * 4 + (g[5] % 256) * 16777216, floor(g[5] / 256) + (g[6] % L18) * L14,
    }
    local parts, rest = {}, 0
    for i = 1, 4 do
        local sum = words[i] + s[i] + rest
        rest = floor(sum / WORD)
        parts[i] = bytes_of(sum % WORD)
    end
    return table.concat(parts)
end

-- The tag of a text whose size is a multiple of 16.
local function poly1305(key, text)
    local r0, r1, r2, r3, r4, r5 = poly_limbs(
        band(key[1], 0x0fffffff), band(key[2], 0x0ffffffc), band(key[3], 0x0ffffffc),
        band(key[4], 0x0ffffffc))
    -- 2^132 = 20 modulo 2^130 - 5
    local q1, q2, q3, q4, q5 = 20 * r1, 20 * r2, 20 * r3, 20 * r4, 20 * r5
    local h0, h1, h2, h3, h4, h5 = 0, 0, 0, 0, 0, 0
    for i = 1, #text, 16 do
        local m0, m1, m2, m3, m4, m5 = poly_limbs(word_at(text, i), word_at(text, i + 4),
                                                  word_at(text, i + 8), word_at(text, i + 12))
        h0, h1, h2, h3, h4, h5 = h0 + m0, h1 + m1, h2 + m2, h3 + m3, h4 + m4, h5 + m5 + L18
        local d0 = h0 * r0 + h1 * q5 + h2 * q4 + h3 * q3 + h4 * q2 + h5 * q1
        local d1 = h0 * r1 + h1 * r0 + h2 * q5 + h3 * q4 + h4 * q3 + h5 * q2
        local d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * q5 + h4 * q4 + h5 * q3
        local d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * q5 + h5 * q4
        local d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0 + h5 * q5
        local d5 = h0 * r5 + h1 * r4 + h2 * r3 + h3 * r2 + h4 * r1 + h5 * r0
        d1 = d1 + floor(d0 / L22)
        d2 = d2 + floor(d1 / L22)
        d3 = d3 + floor(d2 / L22)
        d4 = d4 + floor(d3 / L22)
        d5 = d5 + floor(d4 / L22)
        h0 = d0 % L22 + 20 * floor(d5 / L22)
        h1, h2, h3, h4, h5 = d1 % L22, d2 % L22, d3 % L22, d4 % L22, d5 % L22
        h1 = h1 + floor(h0 / L22)
        h0 = h0 % L22
    end
    return poly_finish(h0, h1, h2, h3, h4, h5, { key[5], key[6], key[7], key[8] })
end

local function aead_open(key, nonce, associated, sealed)
    local state = chacha_state(key, nonce)
    local text, tag = sealed:sub(1, -17), sealed:sub(-16)
    local function padded(s)
        return s .. ("\0"):rep(-#s % 16)
    end
    local all = padded(associated) .. padded(text) .. bytes_of(#associated) .. "\0\0\0\0"
        .. bytes_of(#text) .. "\0\0\0\0"
    if poly1305(chacha_block(state, 0), all) ~= tag then
        return nil
    end
    return chacha_decrypt(state, text)
end

return {
    -- 32 bytes, of a key of 32 bytes and a text of at most 128.
    blake2b = blake2b,
    -- What is inside, or nil when it is not authentic: key, nonce of 12 bytes, associated data, and
    -- the encrypted text with the tag of 16 bytes behind it (RFC 8439 section 2.8).
    open = aead_open,
}
