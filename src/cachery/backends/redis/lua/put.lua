-- KEYS: an entry, its fence, and where it is at hand the state.
-- ARGV: record, life in ms, stamp or '', token or '', number of patterns at the token, era, prefix of tags, tags...
-- Without a token it overtakes all loads; with one it stores only if its own was not overtaken. 1 when stored.
local function is_outdated(state, stamp, pattern)
  return string.sub(state, 25, 32) ~= pattern
    or string.sub(state, 1, 8) ~= string.sub(stamp, 1, 8)
    or struct.unpack('>I8', state, 17) > struct.unpack('>I8', stamp, 9)
end

local record, life, stamp, token = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local place = false
if token ~= '' then
  place = redis.call('HGET', KEYS[2], token)
  if not place then return 0 end
end
if KEYS[3] then
  local state = state_of(KEYS[3], ARGV[6])
  if token ~= '' and is_outdated(state, stamp, ARGV[5]) then return 0 end
  for i = 8, #ARGV do
    local tag = ARGV[7] .. ARGV[i]
    remember(tag, string.sub(state, 9, 16), life)
    if token ~= '' and struct.unpack('>I8', number_of(tag)) > struct.unpack('>I8', stamp, 9) then return 0 end
  end
  if stamp == '' then stamp = string.sub(state, 1, 16) end
end
redis.call('SET', KEYS[1], stamp .. record, 'PX', life)
if not place then
  redis.call('UNLINK', KEYS[2])
else
  local tokens = redis.call('HGETALL', KEYS[2])
  for i = 1, #tokens, 2 do
    if tokens[i] ~= '' and tonumber(tokens[i + 1]) <= tonumber(place) then
      redis.call('HDEL', KEYS[2], tokens[i])
    end
  end
  if redis.call('HLEN', KEYS[2]) == 1 then redis.call('UNLINK', KEYS[2]) end
end
return 1
