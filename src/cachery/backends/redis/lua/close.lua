-- KEYS: a fence. ARGV: token. Forgets a load that has ended.
redis.call('HDEL', KEYS[1], ARGV[1])
if redis.call('HLEN', KEYS[1]) == 1 then redis.call('UNLINK', KEYS[1]) end
return 1
