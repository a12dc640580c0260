-- KEYS: a fence. ARGV: token, its life in ms. Notes that a load begins now, after all that began before.
local place = redis.pcall('HINCRBY', KEYS[1], '', 1)
if type(place) ~= 'number' then -- something else stands there
  redis.call('UNLINK', KEYS[1])
  place = redis.call('HINCRBY', KEYS[1], '', 1)
end
redis.call('HSET', KEYS[1], ARGV[1], place)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return place
