-- KEYS: an entry. ARGV: the stamp it was seen with. Removes it unless it was written anew since. 1 when removed.
local record = stored(KEYS[1])
if not record or string.sub(record, 1, 16) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
