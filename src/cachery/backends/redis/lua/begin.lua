-- KEYS: a fence, or also a lease. ARGV: token of a load, its life in ms, or also the token of the lease, its life in ms.
-- Takes the lease unless somebody holds it, and notes that a load begins now, after all that began before. 0 if held.
if KEYS[2] and not redis.call('SET', KEYS[2], ARGV[3], 'NX', 'PX', ARGV[4]) then return 0 end
local place = redis.pcall('HINCRBY', KEYS[1], '', 1)
if type(place) ~= 'number' then -- something else stands there
  redis.call('UNLINK', KEYS[1])
  place = redis.call('HINCRBY', KEYS[1], '', 1)
end
redis.call('HSET', KEYS[1], ARGV[1], place)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return place
