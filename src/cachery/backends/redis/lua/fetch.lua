-- KEYS: entries, then the state. ARGV: the prefix of tags; 'head' to leave out bodies; a version for each entry, or none.
-- Of a record whose version is the one given, the body is left out too.
-- On a cluster, where state and tags lie elsewhere, the prefix is empty and there is no state among the keys.
local prefix, wants_head = ARGV[1], ARGV[2] == 'head'
local has_state = prefix ~= ''
local count = has_state and #KEYS - 1 or #KEYS
local reply = {has_state and stored(KEYS[#KEYS])}
for i = 1, count do
  local record = stored(KEYS[i])
  local at = #reply
  reply[at + 1] = record and (wants_head or string.sub(record, 17, 24) == ARGV[i + 2]) and head(record) or record
  reply[at + 2] = record and redis.call('PTTL', KEYS[i])
  reply[at + 3] = record and has_state and numbers(record, prefix) or ''
end
return reply
