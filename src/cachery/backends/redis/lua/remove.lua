-- KEYS: an entry, its fence, and where it is at hand the state. ARGV: the prefix of tags.
-- Removes the entry, overtakes its loads, and says what was there.
local record = stored(KEYS[1])
local left = record and redis.call('PTTL', KEYS[1])
redis.call('UNLINK', KEYS[1], KEYS[2])
return {
  KEYS[3] and stored(KEYS[3]) or false,
  record and head(record),
  left,
  record and KEYS[3] and numbers(record, ARGV[1]) or '',
}
