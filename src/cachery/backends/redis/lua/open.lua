-- KEYS: a fence. ARGV: token, its life in ms. Notes that a load begins now, after all that began before.
local place = redis.call('HINCRBY', KEYS[1], '', 1)
redis.call('HSET', KEYS[1], ARGV[1], place)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return place
