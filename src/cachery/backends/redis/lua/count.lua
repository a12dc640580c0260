-- KEYS: an entry, its fence, and where it is at hand the state.
-- ARGV: what to add, the key, a new version, state or '', era; the record to begin with, its life in ms, its number.
-- Adds to the whole number that stands there, or begins anew. False where there is more to it: something else stands
-- there, it is signed, has tags or may be served stale, or the number is too large for a script.
local INTEGER, LIMIT = string.char(0, 0, 0), 2 ^ 47 -- six bytes
local NEVER = struct.pack('<d', -math.huge)

local function is_undone(record, state)
  return string.sub(record, 1, 8) ~= string.sub(state, 1, 8) or struct.unpack('>I8', record, 9) < struct.unpack('>I8', state, 17)
end

local function is_plain(record)
  local key_size, tags_size = struct.unpack('<I4I4', record, LENGTHS)
  return string.sub(record, ENVELOPE + 3, ENVELOPE + 5) == INTEGER
    and string.sub(record, ENVELOPE + 6, ENVELOPE + 13) == string.rep('\0', 8)
    and string.sub(record, ENVELOPE + 30, ENVELOPE + 37) == NEVER
    and tags_size == 0
    and string.sub(record, KEY, KEY - 1 + key_size) == ARGV[2]
end

local function decoded(body)
  local number = 0
  for i = #body, 1, -1 do number = number * 256 + string.byte(body, i) end
  if string.byte(body, #body) >= 128 then number = number - 256 ^ #body end
  return number
end

local function encoded(number)
  local size, rest = 1, math.abs(number)
  while rest >= 128 do
    size, rest = size + 1, math.floor(rest / 256)
  end
  if number < 0 then number = number + 256 ^ size end
  local bytes = {}
  for i = 1, size do
    bytes[i] = string.char(number % 256)
    number = math.floor(number / 256)
  end
  return table.concat(bytes)
end

local record = stored(KEYS[1])
local state = KEYS[3] and state_of(KEYS[3], ARGV[5]) or ARGV[4]
if record and not is_record(record) then return false end
if not record or is_undone(record, state) then
  if ARGV[7] == '' then return false end
  redis.call('SET', KEYS[1], string.sub(state, 1, 16) .. ARGV[6], 'PX', ARGV[7])
  redis.call('UNLINK', KEYS[2])
  return ARGV[8]
end
if not is_plain(record) then return false end
local at = KEY + #ARGV[2]
if #record - at + 1 > 6 then return false end
local total = decoded(string.sub(record, at)) + tonumber(ARGV[1])
if math.abs(total) >= LIMIT then return false end
local body = encoded(total)
local head = string.sub(record, 1, 16) .. ARGV[3] .. string.sub(record, ENVELOPE, LENGTHS + 7)
redis.call('SET', KEYS[1], head .. struct.pack('<I8', #body) .. ARGV[2] .. body, 'KEEPTTL')
redis.call('UNLINK', KEYS[2])
return string.format('%.0f', total)
