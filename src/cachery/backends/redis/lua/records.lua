-- What scripts know of a stored record: 16 bytes of stamp, 8 of version, then an
-- envelope of 70 bytes, key, tags, body.
-- This text stands before the scripts that know records.
local NUMBER = 8
local ENVELOPE = 25
local LENGTHS = ENVELOPE + 54
local KEY = ENVELOPE + 70

local function is_record(record)
  return #record >= KEY - 1 and string.sub(record, ENVELOPE, ENVELOPE + 1) == '\202\200'
end

-- A value under an entry's name, or false; of another type than text is none of ours.
local function stored(name)
  local found = redis.pcall('GET', name)
  if type(found) ~= 'string' then return false end
  return found
end

-- The record without its body: all that decides whether it is alive.
local function head(record)
  if not is_record(record) then return record end
  local key_size, tags_size = struct.unpack('<I4I4', record, LENGTHS)
  return string.sub(record, 1, KEY - 1 + key_size + tags_size)
end

-- The number of a tag by its name; a number beyond all where there is none.
local function number_of(tag)
  local number = stored(tag)
  if not number or #number ~= NUMBER then return '\255\255\255\255\255\255\255\255' end
  return number
end

-- The numbers of the tags that a record carries, one after another.
local function numbers(record, prefix)
  if not is_record(record) then return '' end
  local key_size, tags_size = struct.unpack('<I4I4', record, LENGTHS)
  local at = KEY + key_size
  local stop = math.min(at + tags_size, #record)
  local found = {}
  while at + 3 < stop do
    local size = struct.unpack('<I4', record, at)
    found[#found + 1] = number_of(prefix .. string.sub(record, at + 4, at + 3 + size))
    at = at + 4 + size + NUMBER
  end
  return table.concat(found)
end

-- The numbers of a cache: era, last invalidation, last clearing, last pattern; begun anew where they are missing
-- or something else stands there.
local function state_of(name, era)
  local state = stored(name)
  if not state or #state ~= 4 * NUMBER then
    state = era .. struct.pack('>I8I8I8', 0, 0, 0)
    redis.call('SET', name, state)
  end
  return state
end

-- A tag that is carried has a number for as long as who carries it, and none above the last of the cache: what has
-- no end there is none of ours, and what is above was left by an era whose state is lost.
local function remember(tag, number, life)
  local left = redis.call('PTTL', tag)
  if left < 0 or struct.unpack('>I8', number_of(tag)) > struct.unpack('>I8', number) then
    redis.call('SET', tag, number, 'PX', math.max(left, tonumber(life)))
  elseif left < tonumber(life) then
    redis.call('PEXPIRE', tag, life)
  end
end
